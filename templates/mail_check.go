package templates

import (
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"
	"text/template/parse"
)

// MailTemplateError says what is wrong with a template of a mail, and where.
type MailTemplateError struct {
	// Where is the file, with line and column where they are known.
	Where string
	Why   string
}

// Error names the place and the fault.
func (e *MailTemplateError) Error() string { return e.Where + ": " + e.Why }

// checker walks a template and follows the types of its fields, so that an
// unknown field is found even in a branch that no mail of today would take.
// A type of nil is one that is not known; nothing is said about it.
type checker struct {
	trees map[string]*parse.Tree
	tree  *parse.Tree
	vars  []variable
	// seen are the definitions already looked at, by name and type.
	seen map[string]bool
	err  *MailTemplateError
}

type variable struct {
	name string
	kind reflect.Type
}

// checkTemplate checks the tree of that name with data of that type.
func checkTemplate(trees map[string]*parse.Tree, name string, data reflect.Type, seen map[string]bool) *MailTemplateError {
	key := fmt.Sprint(name, " ", data)
	if seen[key] {
		return nil
	}
	seen[key] = true
	c := &checker{trees: trees, tree: trees[name], vars: []variable{{"$", data}}, seen: seen}
	c.list(c.tree.Root, data)
	return c.err
}

func (c *checker) fail(node parse.Node, format string, args ...any) {
	if c.err == nil {
		where, _ := c.tree.ErrorContext(node)
		c.err = &MailTemplateError{where, fmt.Sprintf(format, args...)}
	}
}

func (c *checker) list(list *parse.ListNode, dot reflect.Type) {
	if list == nil {
		return
	}
	depth := len(c.vars)
	for _, node := range list.Nodes {
		c.node(node, dot)
	}
	c.vars = c.vars[:depth]
}

func (c *checker) node(node parse.Node, dot reflect.Type) {
	switch n := node.(type) {
	case *parse.ActionNode:
		c.pipe(n.Pipe, dot)
	case *parse.IfNode:
		c.branch(&n.BranchNode, dot, func(reflect.Type) reflect.Type { return dot })
	case *parse.WithNode:
		c.branch(&n.BranchNode, dot, func(t reflect.Type) reflect.Type { return t })
	case *parse.RangeNode:
		c.branch(&n.BranchNode, dot, element)
	case *parse.TemplateNode:
		var data reflect.Type
		if n.Pipe != nil {
			data = c.pipe(n.Pipe, dot)
		}
		if c.trees[n.Name] == nil {
			c.fail(n, "there is no template %q", n.Name)
		} else if err := checkTemplate(c.trees, n.Name, data, c.seen); err != nil && c.err == nil {
			c.err = err
		}
	}
}

// branch checks if, with and range: inner says what the dot is inside.
func (c *checker) branch(n *parse.BranchNode, dot reflect.Type, inner func(reflect.Type) reflect.Type) {
	depth := len(c.vars)
	kind := c.pipe(n.Pipe, dot)
	if n.NodeType == parse.NodeRange {
		c.declareRange(n.Pipe, kind)
	}
	c.list(n.List, inner(kind))
	c.list(n.ElseList, dot)
	c.vars = c.vars[:depth]
}

// declareRange gives the variables of a range the types of its elements.
func (c *checker) declareRange(pipe *parse.PipeNode, kind reflect.Type) {
	n := len(pipe.Decl)
	for i := range pipe.Decl {
		at := len(c.vars) - n + i
		c.vars[at].kind = reflect.TypeFor[int]()
		if i == n-1 {
			c.vars[at].kind = element(kind)
		}
	}
}

// element is the type that a range over the type gives.
func element(t reflect.Type) reflect.Type {
	if t == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return t.Elem()
	case reflect.Int, reflect.Int64:
		return t
	}
	return nil
}

func (c *checker) pipe(pipe *parse.PipeNode, dot reflect.Type) reflect.Type {
	var kind reflect.Type
	for i, command := range pipe.Cmds {
		kind = c.command(command, dot, i > 0)
	}
	for _, declared := range pipe.Decl {
		if pipe.IsAssign {
			continue
		}
		c.vars = append(c.vars, variable{declared.Ident[0], kind})
	}
	return kind
}

// command returns the type of a command's result; piped is true where it is
// given the result of the one before it.
func (c *checker) command(command *parse.CommandNode, dot reflect.Type, piped bool) reflect.Type {
	var kinds []reflect.Type
	for _, arg := range command.Args {
		kinds = append(kinds, c.operand(arg, dot))
	}
	if name, ok := command.Args[0].(*parse.IdentifierNode); ok {
		return result(name.Ident, kinds[1:], piped)
	}
	return kinds[0]
}

// result is the type of what one of the built-in functions returns.
func result(function string, args []reflect.Type, piped bool) reflect.Type {
	switch function {
	case "index":
		if piped || len(args) == 0 {
			return nil
		}
		kind := args[0]
		for range args[1:] {
			kind = element(kind)
		}
		return kind
	case "slice":
		if len(args) > 0 {
			return args[0]
		}
	case "len":
		return reflect.TypeFor[int]()
	case "print", "printf", "println", "html", "js", "urlquery":
		return reflect.TypeFor[string]()
	case "eq", "ne", "lt", "le", "gt", "ge", "not":
		return reflect.TypeFor[bool]()
	}
	return nil
}

func (c *checker) operand(node parse.Node, dot reflect.Type) reflect.Type {
	switch n := node.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return c.fields(n, dot, n.Ident)
	case *parse.ChainNode:
		return c.fields(n, c.operand(n.Node, dot), n.Field)
	case *parse.VariableNode:
		for _, v := range slices.Backward(c.vars) {
			if v.name == n.Ident[0] {
				return c.fields(n, v.kind, n.Ident[1:])
			}
		}
	case *parse.PipeNode:
		return c.pipe(n, dot)
	case *parse.StringNode:
		return reflect.TypeFor[string]()
	case *parse.BoolNode:
		return reflect.TypeFor[bool]()
	}
	return nil
}

// fields follows a chain of fields from a type.
func (c *checker) fields(node parse.Node, kind reflect.Type, names []string) reflect.Type {
	for _, name := range names {
		if kind == nil {
			return nil
		}
		next, ok := member(kind, name)
		if !ok {
			c.fail(node, "there is no field .%s in %s", name, describe(kind))
			return nil
		}
		kind = next
	}
	return kind
}

// member finds a field or a method.
func member(kind reflect.Type, name string) (reflect.Type, bool) {
	if method, ok := kind.MethodByName(name); ok {
		return method.Type.Out(0), true
	}
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if kind.Kind() != reflect.Struct {
		return nil, false
	}
	field, ok := kind.FieldByName(name)
	return field.Type, ok && field.IsExported()
}

// describe names a type and what it has, for a person who writes templates.
func describe(kind reflect.Type) string {
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if kind.Kind() != reflect.Struct {
		return "a value that is no structure (" + plainType(kind) + ")"
	}
	var names []string
	for _, f := range reflect.VisibleFields(kind) {
		names = append(names, "."+f.Name)
	}
	for method := range methodDocs {
		if _, ok := kind.MethodByName(method); ok {
			names = append(names, "."+method)
		}
	}
	sort.Strings(names)
	return kind.Name() + ", which has " + strings.Join(slices.Compact(names), " ")
}
