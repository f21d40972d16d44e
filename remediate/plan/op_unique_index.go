package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Index is a unique index that the plan builds.
type Index struct {
	// Name is at most 63 bytes.
	Name  string    `json:"name"`
	Parts []KeyPart `json:"parts"`
	// Where is the predicate of a partial index, or empty.
	Where string `json:"where,omitempty"`
	// NullsNotDistinct is true where NULLs are equal to each other.
	NullsNotDistinct bool `json:"nulls_not_distinct,omitempty"`
	// Constraint is true where a UNIQUE constraint of that name stands on it.
	Constraint bool `json:"constraint,omitempty"`
	// Replaces is the index that is dropped once this one stands; nil for none.
	Replaces *Replaced `json:"replaces,omitempty"`
}

// Replaced is an index that another takes the place of. The way back builds it
// again by its definition, which is the server's own wording.
type Replaced struct {
	Name       string `json:"name"`
	Definition string `json:"definition"`
}

// does says what is built.
func (i *Index) does(table string) string {
	text := fmt.Sprintf("builds the unique index %s on %s (%s)", i.Name, table, strings.Join(partTexts(i.Parts), ", "))
	if i.Constraint {
		text += ", and makes it a constraint"
	}
	if i.Replaces != nil {
		text += ", then drops the index " + i.Replaces.Name + ", which it replaces"
	}
	return text
}

// uniqueIndex makes a second row with the same key impossible.
func uniqueIndex(table string, index *Index, more []Hazard) Operation {
	return Operation{
		Op: OpUniqueIndex, Hazards: union([]Hazard{BuildsIndex}, more), Inverse: OpDropIndex, Index: index,
		Does: index.does(table),
	}
}

// dropIndex drops the index, if this case built it. It is the inverse of uniqueIndex.
func dropIndex(o Operation) Operation {
	does := fmt.Sprintf("drops the index %s, if this case built it", o.Index.Name)
	if o.Index.Replaces != nil {
		does += ", and builds " + o.Index.Replaces.Name + " again as it was"
	}
	return Operation{Op: OpDropIndex, Hazards: []Hazard{}, Inverse: OpUniqueIndex, Index: o.Index, Does: does}
}

func partTexts(parts []KeyPart) []string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.Text
	}
	return texts
}

// maxName is the longest name of an index in bytes: Postgres cuts longer ones
// off (NAMEDATALEN - 1), and two names cut alike would be one.
const maxName = 63

// indexName is <table>_<columns>_key as Postgres itself would name it;
// an expression counts as "expr". A name that is too long, or taken, is
// shortened and ends in a hash of what the index is.
func indexName(table string, t *CaseTable, parts []KeyPart, taken map[string]bool) string {
	words := []string{table}
	for _, p := range parts {
		if p.Expression {
			words = append(words, "expr")
		} else {
			words = append(words, p.Text)
		}
	}
	name := strings.Join(append(words, "key"), "_")
	if len(name) > maxName || taken[strings.ToLower(name)] {
		sum := sha256.Sum256([]byte(strings.Join([]string{t.Name, t.Table, strings.Join(t.KeyNames(), "\x00"), t.Where, t.Nulls}, "\x01")))
		suffix := "_" + hex.EncodeToString(sum[:4]) + "_key"
		name = cutUTF8(strings.TrimSuffix(name, "_key"), maxName-len(suffix)) + suffix
	}
	taken[strings.ToLower(name)] = true
	return name
}

// cutUTF8 cuts text to at most n bytes without splitting a character.
func cutUTF8(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
