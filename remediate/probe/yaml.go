package probe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"twinrow/detect/casefile"
)

const (
	// maxSpecBytes and maxNesting bound a specification. The parser's time
	// grows with the cube of the nesting: 64,000 brackets took it 17 s.
	maxSpecBytes = 128 << 10
	maxNesting   = 200
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

// reader walks a YAML document and keeps the first mistake it meets, with its
// line and column. After a mistake every method returns zero values.
type reader struct {
	name    string
	env     func(string) (string, bool)
	anchors map[string]ast.Node
	err     error
}

// parse returns the root of the only document in yaml, or nil.
func (r *reader) parse(yaml []byte) ast.Node {
	if len(yaml) > maxSpecBytes {
		r.err = &casefile.Problem{Code: casefile.CodeBadInput, Message: fmt.Sprintf("%s is longer than %d kB", r.name, maxSpecBytes>>10),
			Hint: "a specification is a short file; give a long body with --body @FILE"}
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

type anchorCollector struct{ r *reader }

// Visit implements ast.Visitor.
func (c anchorCollector) Visit(node ast.Node) ast.Visitor {
	if anchor, ok := node.(*ast.AnchorNode); ok && anchor.Name != nil {
		c.r.anchors[anchor.Name.GetToken().Value] = anchor.Value
	}
	return c
}

func (r *reader) fail(node ast.Node, format string, args ...any) {
	var at *token.Token
	if node != nil {
		at = node.GetToken()
	}
	r.failAt(at, format, args...)
}

func (r *reader) failAt(at *token.Token, format string, args ...any) {
	if r.err != nil {
		return
	}
	where := r.name
	if at != nil && at.Position != nil {
		where = fmt.Sprintf("%s:%d:%d", r.name, at.Position.Line, at.Position.Column)
	}
	r.err = &casefile.Problem{Code: casefile.CodeBadInput, Message: where + ": " + fmt.Sprintf(format, args...),
		Hint: "the README shows a whole specification"}
}

// plain follows aliases and takes off anchors and tags.
func (r *reader) plain(node ast.Node) ast.Node {
	for range 16 {
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.TagNode:
			node = n.Value
		case *ast.AliasNode:
			target, ok := r.anchors[n.Value.GetToken().Value]
			if !ok {
				r.fail(n, "no anchor of that name")
				return nil
			}
			node = target
		default:
			return node
		}
	}
	r.fail(node, "aliases refer to each other")
	return nil
}

// pair is one entry of a mapping.
type pair struct {
	key       string
	at, value ast.Node
}

// pairs returns a mapping's entries in order; of nothing there are none.
func (r *reader) pairs(node ast.Node) []pair {
	node = r.plain(node)
	var values []*ast.MappingValueNode
	switch n := node.(type) {
	case nil, *ast.NullNode:
		return nil
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.fail(node, "keys and values are needed here")
		return nil
	}
	var all []pair
	for _, v := range values {
		key, ok := scalar(v.Key)
		if !ok {
			r.fail(v.Key, "a key must be plain text")
			return nil
		}
		all = append(all, pair{key, v.Key, v.Value})
	}
	return all
}

// fields hands each entry of a mapping to the function of its key.
func (r *reader) fields(node ast.Node, by map[string]func(ast.Node)) {
	for _, p := range r.pairs(node) {
		set, ok := by[p.key]
		if !ok {
			known := make([]string, 0, len(by))
			for name := range by {
				known = append(known, name)
			}
			slices.Sort(known)
			r.fail(p.at, "unknown key %q; here can stand %s", p.key, strings.Join(known, ", "))
		}
		if r.err != nil {
			return
		}
		set(p.value)
	}
}

// items returns a sequence's elements; a single value counts as a list of one.
func (r *reader) items(node ast.Node) []ast.Node {
	switch n := r.plain(node).(type) {
	case nil, *ast.NullNode:
		return nil
	case *ast.SequenceNode:
		return n.Values
	default:
		return []ast.Node{n}
	}
}

// text reads a scalar and puts the environment's values in.
func (r *reader) text(node ast.Node) string {
	return r.expanded(node, func(value string) string { return value })
}

// source reads a scalar that is a template: what the environment puts in is
// text to it, even where it looks like a template.
func (r *reader) source(node ast.Node) source {
	raw, _ := scalar(r.plain(node))
	return source{raw: raw, text: r.expanded(node, quoteTemplate), where: r.where(node)}
}

func (r *reader) expanded(node ast.Node, quote func(string) string) string {
	plain := r.plain(node)
	raw, ok := scalar(plain)
	if !ok {
		if r.err == nil {
			r.fail(node, "plain text is needed here")
		}
		return ""
	}
	text, err := expand(raw, r.env, quote)
	if err != nil {
		r.fail(plain, "%v", err)
	}
	return text
}

func (r *reader) where(node ast.Node) string {
	if node == nil || node.GetToken() == nil || node.GetToken().Position == nil {
		return r.name
	}
	at := node.GetToken().Position
	return fmt.Sprintf("%s:%d:%d", r.name, at.Line, at.Column)
}

// number reads a whole number from low to high.
func (r *reader) number(node ast.Node, low, high int64) int64 {
	text := r.text(node)
	n, err := strconv.ParseInt(text, 10, 64)
	if r.err == nil && (err != nil || n < low || n > high) {
		r.fail(node, "a whole number from %d to %d is needed, not %q", low, high, text)
	}
	return n
}

// duration reads a time as Go writes it, from low to high.
func (r *reader) duration(node ast.Node, low, high time.Duration) time.Duration {
	text := r.text(node)
	d, err := time.ParseDuration(text)
	if r.err == nil && (err != nil || d < low || d > high) {
		r.fail(node, "a time from %v to %v is needed, as 10s or 250ms, not %q", low, high, text)
	}
	return d
}

// scalar is a scalar's text as it was written; ok is false for anything else.
func scalar(node ast.Node) (text string, ok bool) {
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
