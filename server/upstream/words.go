package upstream

// Words says in words who serves which model, and what happens on failure.
func (c Config) Words() []string { return nil }
