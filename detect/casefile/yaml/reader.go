// Package yaml reads the YAML files that people write for twinrow: strictly,
// one document, every mistake with its line and column, and with the
// environment's values put in for ${NAME}.
//
// It must not know what any of the files means.
package yaml

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"twinrow/detect/key"
)

const (
	// MaxBytes and maxNesting bound a file. The parser's time grows with the
	// cube of the nesting: 64,000 brackets took it 17 s.
	MaxBytes   = 128 << 10
	maxNesting = 200
	// maxParts bounds what a file unfolds to through its aliases.
	maxParts = 1 << 20
)

// nesting is how many brackets are open at once at most, wherever they stand.
func nesting(yaml []byte) int {
	most, open := 0, 0
	for _, c := range yaml {
		switch c {
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		}
		most = max(most, open)
	}
	return most
}

// Reader walks a YAML document and keeps the first mistake it meets, with its
// line and column. After a mistake every method returns zero values.
type Reader struct {
	// Name is the file's, for messages.
	Name string
	// Env looks an environment variable up, as os.LookupEnv does.
	Env func(string) (string, bool)
	// Hint is the next step to take after any mistake, TooLong that after a
	// file of more than MaxBytes.
	Hint, TooLong string
	// Err is the first mistake, a *key.Problem, or nil.
	Err error

	anchors map[string]ast.Node
	parts   int
}

// Parse returns the root of the only document in yaml, or nil.
func (r *Reader) Parse(yaml []byte) ast.Node {
	if len(yaml) > MaxBytes {
		r.Err = &key.Problem{Code: key.CodeBadInput, Message: fmt.Sprintf("%s is longer than %d kB", r.Name, MaxBytes>>10),
			Hint: r.TooLong}
		return nil
	}
	if nesting(yaml) > maxNesting {
		r.failAt(nil, "more than %d brackets are open at once", maxNesting)
		return nil
	}
	file, err := parser.ParseBytes(yaml, 0)
	if err != nil {
		var at *token.Token
		text := err.Error()
		if syntax, ok := err.(interface {
			GetToken() *token.Token
			GetMessage() string
		}); ok {
			at, text = syntax.GetToken(), syntax.GetMessage()
		}
		r.failAt(at, "%s", text)
		return nil
	}
	var roots []ast.Node
	for _, document := range file.Docs {
		if document.Body != nil {
			roots = append(roots, document.Body)
		}
	}
	if len(roots) != 1 {
		r.failAt(nil, "one document is needed, there are %d", len(roots))
		return nil
	}
	r.anchors = map[string]ast.Node{}
	ast.Walk(anchorCollector{r}, roots[0])
	return roots[0]
}

type anchorCollector struct{ r *Reader }

// Visit implements ast.Visitor.
func (c anchorCollector) Visit(node ast.Node) ast.Visitor {
	if anchor, ok := node.(*ast.AnchorNode); ok && anchor.Name != nil {
		c.r.anchors[anchor.Name.GetToken().Value] = anchor.Value
	}
	return c
}

// Fail keeps a mistake at a node; nil is the file as a whole.
func (r *Reader) Fail(node ast.Node, format string, args ...any) {
	r.failAt(begin(node), format, args...)
}

// begin is the token that a node begins with, or nil. The parser gives a
// mapping in block form its first colon; a person looks for its first key.
func begin(node ast.Node) *token.Token {
	switch n := node.(type) {
	case nil:
		return nil
	case *ast.MappingValueNode:
		return begin(n.Key)
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return begin(n.Values[0])
		}
	}
	return node.GetToken()
}

func (r *Reader) failAt(at *token.Token, format string, args ...any) {
	if r.Err != nil {
		return
	}
	r.Err = &key.Problem{Code: key.CodeBadInput, Message: r.at(at) + ": " + fmt.Sprintf(format, args...),
		Hint: r.Hint}
}

// Plain follows aliases and takes off anchors and tags.
func (r *Reader) Plain(node ast.Node) ast.Node {
	for range 16 {
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.TagNode:
			node = n.Value
		case *ast.AliasNode:
			target, ok := r.anchors[n.Value.GetToken().Value]
			if !ok {
				r.Fail(n, "no anchor of that name")
				return nil
			}
			node = target
		default:
			return node
		}
	}
	r.Fail(node, "aliases refer to each other")
	return nil
}

// Pair is one entry of a mapping.
type Pair struct {
	Key string
	// At is where the key stands.
	At, Value ast.Node
}

// Pairs returns a mapping's entries in order; of nothing there are none.
func (r *Reader) Pairs(node ast.Node) []Pair {
	node = r.Plain(node)
	var values []*ast.MappingValueNode
	switch n := node.(type) {
	case nil, *ast.NullNode:
		return nil
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.Fail(node, "keys and values are needed here")
		return nil
	}
	var all []Pair
	for _, v := range values {
		name, ok := Scalar(v.Key)
		if !ok {
			r.Fail(v.Key, "a key must be plain text")
			return nil
		}
		all = append(all, Pair{name, v.Key, v.Value})
	}
	if r.tooMany(node, len(all)) {
		return nil
	}
	return all
}

// Fields hands each entry of a mapping to the function of its key.
func (r *Reader) Fields(node ast.Node, by map[string]func(ast.Node)) {
	for _, p := range r.Pairs(node) {
		set, ok := by[p.Key]
		if !ok {
			known := make([]string, 0, len(by))
			for name := range by {
				known = append(known, name)
			}
			slices.Sort(known)
			meant := ""
			if near := key.Nearest(p.Key, known); len(near) > 0 {
				meant = " (did you mean " + strings.Join(near, " or ") + "?)"
			}
			r.Fail(p.At, "unknown key %q%s; here can stand %s", p.Key, meant, strings.Join(known, ", "))
		}
		if r.Err != nil {
			return
		}
		set(p.Value)
	}
}

// Items returns a sequence's elements; a single value counts as a list of one.
func (r *Reader) Items(node ast.Node) []ast.Node {
	switch n := r.Plain(node).(type) {
	case nil, *ast.NullNode:
		return nil
	case *ast.SequenceNode:
		if r.tooMany(n, len(n.Values)) {
			return nil
		}
		return n.Values
	default:
		return []ast.Node{n}
	}
}

// tooMany counts parts and fails where aliases unfold the file to a huge one.
func (r *Reader) tooMany(node ast.Node, parts int) bool {
	if r.parts += parts; r.parts > maxParts {
		r.Fail(node, "the aliases unfold to more than %d entries", maxParts)
	}
	return r.parts > maxParts
}

// Text reads a scalar and puts the environment's values in.
func (r *Reader) Text(node ast.Node) string {
	return r.TextWith(node, func(value string) string { return value })
}

// TextWith is Text for a scalar of a form of its own: quote turns a value of
// the environment into what stands for it there.
func (r *Reader) TextWith(node ast.Node, quote func(string) string) string {
	plain := r.Plain(node)
	raw, ok := Scalar(plain)
	if !ok {
		if r.Err == nil {
			r.Fail(node, "plain text is needed here")
		}
		return ""
	}
	text, err := Expand(raw, r.Env, quote)
	if err != nil {
		r.Fail(plain, "%v", err)
	}
	return text
}

// Where is a node's place for messages: file:line:column.
func (r *Reader) Where(node ast.Node) string { return r.at(begin(node)) }

func (r *Reader) at(where *token.Token) string {
	if where == nil || where.Position == nil {
		return r.Name
	}
	return fmt.Sprintf("%s:%d:%d", r.Name, where.Position.Line, where.Position.Column)
}

// Word reads one of the words that can stand here.
func (r *Reader) Word(node ast.Node, words ...string) string {
	text := r.Text(node)
	if r.Err == nil && !slices.Contains(words, text) {
		meant := ""
		if near := key.Nearest(text, words); len(near) > 0 {
			meant = " (did you mean " + near[0] + "?)"
		}
		r.Fail(node, "unknown word %q%s; here can stand %s", text, meant, strings.Join(words, ", "))
	}
	return text
}

// Bool reads true or false.
func (r *Reader) Bool(node ast.Node) bool { return r.Word(node, "true", "false") == "true" }

// Texts reads a list of texts, or one; one that stands twice is a mistake.
func (r *Reader) Texts(node ast.Node) []string {
	var all []string
	for _, item := range r.Items(node) {
		text := r.Text(item)
		if r.Err == nil && slices.Contains(all, text) {
			r.Fail(item, "%q stands here twice", text)
		}
		all = append(all, text)
	}
	return all
}

// Number reads a whole number from low to high.
func (r *Reader) Number(node ast.Node, low, high int64) int64 {
	text := r.Text(node)
	n, err := strconv.ParseInt(text, 10, 64)
	if r.Err == nil && (err != nil || n < low || n > high) {
		r.Fail(node, "a whole number from %d to %d is needed, not %q", low, high, text)
	}
	return n
}

// Duration reads a time as Go writes it, from low to high.
func (r *Reader) Duration(node ast.Node, low, high time.Duration) time.Duration {
	text := r.Text(node)
	d, err := time.ParseDuration(text)
	if r.Err == nil && (err != nil || d < low || d > high) {
		r.Fail(node, "a time from %v to %v is needed, as 10s or 250ms, not %q", low, high, text)
	}
	return d
}

// Scalar is a scalar's text as it was written; ok is false for anything else.
func Scalar(node ast.Node) (text string, ok bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}
