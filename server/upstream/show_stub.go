package upstream

// Show returns how the upstreams are doing, for operators.
func (p *Pool) Show() any { return nil }
