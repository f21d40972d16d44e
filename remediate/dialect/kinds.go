package dialect

// MigrationKinds are the names of the migration tools that files are made for.
func MigrationKinds() []string {
	names := make([]string, len(tools))
	for i, t := range tools {
		names[i] = t.name
	}
	return names
}
