package config

import "strconv"

// Kind is the layer that a value comes from.
type Kind int

// The layers, each over those before it.
const (
	Default     Kind = iota
	Preset           // what the program itself puts over the defaults
	File             // the configuration file
	Alias            // a variable under another program's name, such as BASE_URL
	Environment      // a variable that begins with RELAY_
)

// Origin is where a value of the configuration comes from.
type Origin struct {
	Kind Kind
	Name string // of the file, without its folder, or of the variable
	Line int    // in the file
}

// String says it in words: "default", "relay.yaml:7", "from BASE_URL".
func (o Origin) String() string {
	switch o.Kind {
	case File:
		if o.Line == 0 {
			return o.Name
		}
		return o.Name + ":" + strconv.Itoa(o.Line)
	case Alias, Environment:
		return "from " + o.Name
	case Preset:
		return "preset"
	}
	return "default"
}

// Origin returns where the value of key comes from, such as
// "plugins.retry.attempts".
func (l *Loaded) Origin(key string) Origin { return l.origins[key] }
