package limit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holysheep/relay/plugins"
)

// Warnings says of which of the models that upstreams are known to serve every
// request will be refused, since a budget would have to count it and it has no
// price. Each begins with the key.
func (s Settings) Warnings(models []string, prices plugins.Prices) []string {
	if s.Unpriced != unpricedRefuse {
		return nil
	}
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(s.Rules)) {
		r := rule{Rule: s.Rules[name]}
		if r.Budget.USD == 0 || r.Shadow {
			continue
		}
		refused := slices.DeleteFunc(slices.Clone(models), func(model string) bool {
			_, priced := prices.Of(model)
			return priced || !r.about(model)
		})
		if len(refused) > 0 {
			warnings = append(warnings, fmt.Sprintf("rules.%s.budget: it refuses every request for %s, which prices does not name: "+
				"name it there, or set unpriced: free", name, strings.Join(refused, ", ")))
		}
	}
	return warnings
}
