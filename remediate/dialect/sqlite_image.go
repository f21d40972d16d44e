package dialect

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// ParseImage takes a SQLite image apart into the quote() text of each column.
// Each is a literal of SQL: NULL, a number, a string or a blob, or a blob cast
// to text where a string could not hold the bytes.
func ParseImage(image string) ([]string, error) {
	rest, ok := strings.CutPrefix(image, "quote:")
	if !ok {
		return nil, errors.New("the image of a row does not start with the word quote")
	}
	var literals []string
	for {
		n, err := literalLength(rest)
		if err != nil {
			return nil, err
		}
		literals = append(literals, rest[:n])
		rest = rest[n:]
		if rest == "" {
			return literals, nil
		}
		if rest[0] != ',' {
			return nil, fmt.Errorf("the image of a row has no comma after column %d", len(literals))
		}
		rest = rest[1:]
	}
}

var (
	numberLiteral = regexp.MustCompile(`^-?(\d+(\.\d*)?([eE][-+]?\d+)?|Inf)`)
	castLiteral   = regexp.MustCompile(`^CAST\([xX]'([0-9A-Fa-f]{2})*' AS TEXT\)`)
	blobLiteral   = regexp.MustCompile(`^[xX]'([0-9A-Fa-f]{2})*'`)
	realLiteral   = regexp.MustCompile(`^-?(\d+\.|\d+[eE]|\d+\.\d*[eE]|Inf)`)
)

// literalLength is the length in bytes of the literal at the start of text.
func literalLength(text string) (int, error) {
	switch {
	case strings.HasPrefix(text, "NULL"):
		return 4, nil
	case strings.HasPrefix(text, "'"):
		for i := 1; i < len(text); i++ {
			if text[i] != '\'' {
				continue
			}
			if i+1 < len(text) && text[i+1] == '\'' {
				i++
				continue
			}
			return i + 1, nil
		}
	case castLiteral.MatchString(text):
		return len(castLiteral.FindString(text)), nil
	case blobLiteral.MatchString(text):
		return len(blobLiteral.FindString(text)), nil
	case numberLiteral.MatchString(text):
		return len(numberLiteral.FindString(text)), nil
	}
	return 0, fmt.Errorf("the image of a row holds something that is no literal")
}

// isReal tells a literal of type REAL.
func isReal(literal string) bool { return realLiteral.MatchString(literal) }

// asSQL writes a literal of an image so that every version of SQLite reads the
// same value: infinity has no literal of its own.
func asSQL(literal string) string {
	switch literal {
	case "Inf":
		return "9e999"
	case "-Inf":
		return "-9e999"
	}
	return literal
}

// Value is the value of a literal of an image, as a driver binds it: nil,
// int64, float64, string or []byte. storage is what typeof() says of it; a
// []byte of "text" is to be cast.
func Value(literal string) (value any, storage string) {
	switch {
	case literal == "NULL":
		return nil, "null"
	case strings.HasPrefix(literal, "'"):
		return strings.ReplaceAll(literal[1:len(literal)-1], "''", "'"), "text"
	case castLiteral.MatchString(literal):
		return unhex(castBlob(literal)), "text"
	case blobLiteral.MatchString(literal):
		return unhex(literal), "blob"
	case isReal(literal):
		return NumberOrText(literal), "real"
	}
	return NumberOrText(literal), "integer"
}

// castBlob is the blob inside a cast.
func castBlob(literal string) string {
	return strings.TrimSuffix(strings.TrimPrefix(literal, "CAST("), " AS TEXT)")
}

func unhex(blob string) []byte {
	raw, err := hex.DecodeString(blob[2 : len(blob)-1])
	if err != nil { // the parser lets whole hexadecimal bytes through only
		panic(err)
	}
	return raw
}

// NumberOrText reads a number as SQLite prints it, and takes anything else as text.
func NumberOrText(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	if isReal(text) {
		if f, err := strconv.ParseFloat(text, 64); err == nil || errors.Is(err, strconv.ErrRange) {
			return f
		}
	}
	return text
}
