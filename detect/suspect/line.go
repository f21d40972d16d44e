package suspect

import "strings"

// scanLine is the command that settles a suspicion, quoted for a shell.
func scanLine(s *Suspect, place string) string {
	words := []string{"twinrow", "scan"}
	if place != "" {
		words = append(words, quote(place))
	}
	parts := make([]string, len(s.Key))
	for i, part := range s.Key {
		parts[i] = item(part)
	}
	words = append(words, "--table", quote(s.Table), "--key", quote(strings.Join(parts, ",")))
	if s.Time != "" {
		words = append(words, "--time", quote(s.Time))
	}
	if s.where != "" {
		words = append(words, "--where", quote(s.where))
	}
	if s.nullsEqual {
		words = append(words, "--nulls", "not-distinct")
	}
	return strings.Join(words, " ")
}

// item puts a name that would fall apart in a list into double quotes.
func item(part string) string {
	if strings.ContainsAny(part, "()") || !strings.ContainsAny(part, ", \"'[]") {
		return part
	}
	return `"` + strings.ReplaceAll(part, `"`, `""`) + `"`
}

// quote is a word as a POSIX shell takes it back, or, where it holds what would
// not stay on one line, as bash does.
func quote(word string) string {
	plain := word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:,@%+=", r))
	})
	if plain {
		return word
	}
	if strings.ContainsAny(word, "\n\r\t") {
		return "$'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(word) + "'"
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
