package yaml

import (
	"fmt"
	"regexp"
	"strings"
)

// Reference is what Expand replaces: ${NAME}, ${NAME:-default}, and $${NAME}.
var Reference = regexp.MustCompile(`\$?\$\{([^}]*)\}`)

// VariableName is the form of an environment variable's name.
var VariableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Expand puts the environment in for ${NAME} and ${NAME:-default}; the default
// also stands in for an empty value, as in a shell. $${NAME} stays ${NAME}. quote turns a value into what stands for
// it in text; a default is left as it is written.
func Expand(text string, env func(string) (string, bool), quote func(string) string) (string, error) {
	var failed error
	out := Reference.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "$$") {
			return found[1:]
		}
		name, fallback, hasFallback := strings.Cut(found[2:len(found)-1], ":-")
		if !VariableName.MatchString(name) {
			failed = fmt.Errorf("${%s} is not the name of an environment variable", clip(name))
			return ""
		}
		value, ok := env(name)
		switch {
		case hasFallback && value == "":
			return fallback
		case !ok && failed == nil:
			failed = fmt.Errorf("the environment variable %s is not set", name)
		}
		return quote(value)
	})
	return out, failed
}

// clip shortens text for a message, at a rune's end.
func clip(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return text
}
