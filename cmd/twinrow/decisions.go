package main

import (
	"os/user"
	"time"

	"twinrow/remediate/plan"
)

// decisions reads the file of --decisions; nil where none was named.
func (p *program) decisions(opened *plan.Case, file string) (*plan.Decisions, error) {
	if file == "" {
		return nil, nil
	}
	return plan.ReadDecisions(opened, file, p.userName(), p.now().UTC().Format(time.RFC3339))
}

// userName is who runs the program, for documents that name who decided.
func (p *program) userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	for _, name := range []string{"USER", "LOGNAME", "USERNAME"} {
		if value, ok := p.getenv(name); ok && value != "" {
			return value
		}
	}
	return "unknown"
}
