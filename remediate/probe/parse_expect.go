package probe

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"twinrow/remediate/probe/expect"
)

func (r *reader) expectations(node ast.Node, s *Spec) {
	r.fields(node, map[string]func(ast.Node){
		"responses": func(n ast.Node) {
			for i, item := range r.items(n) {
				s.replies = append(s.replies, r.response(item, i+1))
			}
		},
		"rows": func(n ast.Node) {
			for i, item := range r.items(n) {
				s.rows = append(s.rows, r.rowCheck(item, i+1))
			}
		},
		"latency": func(n ast.Node) {
			limit := func(name string) func(ast.Node) {
				return func(n ast.Node) {
					s.latency = append(s.latency, latencyLimit{name, r.duration(n, time.Microsecond, time.Hour)})
				}
			}
			r.fields(n, map[string]func(ast.Node){"p50": limit("p50"), "p95": limit("p95"), "p99": limit("p99"), "max": limit("max")})
		},
	})
}

func (r *reader) response(node ast.Node, number int) expect.Response {
	e := expect.Response{Name: fmt.Sprintf("response %d", number)}
	by := map[string]func(ast.Node){
		"name":     func(n ast.Node) { e.Name = r.text(n) },
		"status":   func(n ast.Node) { e.Statuses = r.statuses(n) },
		"json":     func(n ast.Node) { e.JSON = r.wants(n) },
		"not_json": func(n ast.Node) { e.NotJSON = r.wants(n) },
		"per":      func(n ast.Node) { e.PerRun = r.per(n) },
	}
	r.counted(by, &e.Count)
	r.fields(node, by)
	r.check(node, e.Count)
	return e
}

// counted adds the keys of a count.
func (r *reader) counted(by map[string]func(ast.Node), count *expect.Count) {
	set := func(to **int64) func(ast.Node) {
		return func(n ast.Node) {
			number := r.number(n, 0, 1<<40)
			*to = &number
		}
	}
	by["exactly"], by["at_least"], by["at_most"] = set(&count.Exactly), set(&count.AtLeast), set(&count.AtMost)
}

func (r *reader) check(node ast.Node, count expect.Count) {
	if r.err != nil {
		return
	}
	if err := count.Check(); err != nil {
		r.fail(node, "%v", err)
	}
}

func (r *reader) per(node ast.Node) (run bool) {
	switch text := r.text(node); text {
	case "run":
		return true
	case "round":
	default:
		r.fail(node, "per is run or round, not %q", text)
	}
	return false
}

func (r *reader) statuses(node ast.Node) expect.Statuses {
	var all expect.Statuses
	for _, item := range r.items(node) {
		set, err := expect.ParseStatus(r.text(item))
		if err != nil {
			r.fail(item, "%v", err)
		}
		all = append(all, set...)
	}
	if r.err == nil && len(all) == 0 {
		r.fail(node, "a status is needed")
	}
	return all
}

func (r *reader) wants(node ast.Node) []expect.Want {
	var wants []expect.Want
	for _, p := range r.pairs(node) {
		path, err := expect.ParsePath(p.key)
		if err != nil {
			r.fail(p.at, "%q is no path: %v", p.key, err)
		}
		wants = append(wants, expect.Want{Path: path, Value: r.value(p.value)})
	}
	if r.err == nil && len(wants) == 0 {
		r.fail(node, "a path and its value are needed, as {status: noop}")
	}
	return wants
}

// value reads a scalar with its type: text, number, true, false or null.
func (r *reader) value(node ast.Node) any {
	plain := r.plain(node)
	switch n := plain.(type) {
	case *ast.NullNode:
		return nil
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		return json.Number(fmt.Sprint(n.Value))
	case *ast.FloatNode:
		return json.Number(fmt.Sprint(n.Value))
	}
	text := r.text(node)
	if strings.Contains(text, "{{") {
		r.fail(plain, "a value looked for in JSON is no template")
	}
	return text
}

func (r *reader) rowCheck(node ast.Node, number int) rowCheck {
	c := rowCheck{name: fmt.Sprintf("rows %d", number), settle: defaultSettle, within: defaultWithin, where: r.where(node)}
	by := map[string]func(ast.Node){
		"name":   func(n ast.Node) { c.name = r.text(n) },
		"source": func(n ast.Node) { c.location = r.text(n) },
		"sql": func(n ast.Node) {
			c.sql = r.text(n)
			c.shown, _ = scalar(r.plain(n))
		},
		"args": func(n ast.Node) {
			for _, item := range r.items(n) {
				c.args = append(c.args, r.source(item))
			}
		},
		"per":    func(n ast.Node) { c.perRun = r.per(n) },
		"settle": func(n ast.Node) { c.settle = r.duration(n, 0, time.Minute) },
		"within": func(n ast.Node) { c.within = r.duration(n, 0, time.Hour) },
	}
	r.counted(by, &c.count)
	r.fields(node, by)
	r.check(node, c.count)
	if r.err == nil && strings.TrimSpace(c.sql) == "" {
		r.fail(node, "sql is needed, as SELECT count(*) FROM …")
	}
	if c.location == "" && r.err == nil {
		c.location = r.defaultSource(node)
	}
	return c
}

func (r *reader) defaultSource(node ast.Node) string {
	location, _ := r.env("DATABASE_URL")
	if location == "" {
		r.fail(node, "source is needed: neither it nor the environment variable DATABASE_URL is set")
	}
	return location
}
