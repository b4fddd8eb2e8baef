package redistest

import (
	"fmt"
	"testing"
)

func TestACluster(t *testing.T) {
	cluster := StartCluster(t)
	t.Run("its slots are spread", func(t *testing.T) { testSpread(t, cluster) })
	t.Run("a slot moves", func(t *testing.T) { testMove(t, cluster) })
	t.Run("proxies stand in front of it", func(t *testing.T) { testProxies(t, cluster) })
}

func testSpread(t *testing.T, cluster *Cluster) {
	t.Helper()
	c := cluster.Client()
	owners := map[*Server]bool{}
	for i := range 32 {
		set(t, c, fmt.Sprint(i), "v")
		owners[cluster.Owner(cluster.Slot(fmt.Sprint(i)))] = true
	}
	if len(owners) != len(cluster.Nodes()) {
		t.Errorf("32 keys are on %d nodes, want %d", len(owners), len(cluster.Nodes()))
	}
}

func testMove(t *testing.T, cluster *Cluster) {
	t.Helper()
	c := cluster.Client()
	const keys = 4
	for i := range keys {
		set(t, c, fmt.Sprintf("{tag}%d", i), "v")
	}
	slot := cluster.Slot("{tag}")
	from := cluster.Owner(slot)
	to := cluster.Next(from)
	had := to.admin().DBSize(bounded(t)).Val()

	m := cluster.Move(slot, to)
	m.Begin()
	if n := m.Copy(1); n != 1 {
		t.Fatalf("copied %d keys, want 1", n)
	}
	if got := to.admin().DBSize(bounded(t)).Val() - had; got != 1 || cluster.Owner(slot) != from {
		t.Errorf("in the middle the new node got %d keys, want 1, and the owner is %s", got, cluster.Owner(slot).Addr())
	}
	for i := range keys {
		wantKey(t, c, fmt.Sprintf("{tag}%d", i), "v") // wherever it is
	}
	for m.Copy(2) > 0 {
		continue
	}
	m.End()
	if cluster.Owner(slot) != to {
		t.Errorf("the slot is %s's, want %s's", cluster.Owner(slot).Addr(), to.Addr())
	}
	wantKey(t, c, "{tag}0", "v")
}

func testProxies(t *testing.T, cluster *Cluster) {
	t.Helper()
	proxies := cluster.Proxies()
	c := cluster.Client()
	for i := range 32 {
		set(t, c, fmt.Sprint(i), "v")
	}
	sum := 0
	for _, p := range proxies {
		sum += p.Commands("SET")
	}
	if sum != 32 {
		t.Errorf("%d of 32 commands went through the proxies", sum)
	}
}
