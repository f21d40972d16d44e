package probe

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"twinrow/detect/casefile/yaml"
	"twinrow/remediate/probe/expect"
)

func (r *reader) expectations(node ast.Node, s *step) {
	r.Fields(node, map[string]func(ast.Node){
		"responses": func(n ast.Node) {
			for i, item := range r.Items(n) {
				s.replies = append(s.replies, r.response(item, i+1))
			}
		},
		"rows": func(n ast.Node) {
			for i, item := range r.Items(n) {
				s.rows = append(s.rows, r.rowCheck(item, i+1))
			}
		},
		"logs": func(n ast.Node) {
			for i, item := range r.Items(n) {
				s.logs = append(s.logs, r.logCheck(item, i+1))
			}
		},
		"latency": func(n ast.Node) {
			limit := func(name string) func(ast.Node) {
				return func(n ast.Node) {
					s.latency = append(s.latency, latencyLimit{name, r.Duration(n, time.Microsecond, time.Hour)})
				}
			}
			r.Fields(n, map[string]func(ast.Node){"p50": limit("p50"), "p95": limit("p95"), "p99": limit("p99"), "max": limit("max")})
		},
	})
}

func (r *reader) response(node ast.Node, number int) expect.Response {
	e := expect.Response{Name: fmt.Sprintf("response %d", number)}
	by := map[string]func(ast.Node){
		"name":     func(n ast.Node) { e.Name = r.Text(n) },
		"status":   func(n ast.Node) { e.Statuses = r.statuses(n) },
		"json":     func(n ast.Node) { e.JSON = r.wants(n) },
		"not_json": func(n ast.Node) { e.NotJSON = r.wants(n) },
		"header":   func(n ast.Node) { e.Header = r.fieldsWanted(n) },
		"text":     func(n ast.Node) { e.Text = r.Text(n) },
		"not_text": func(n ast.Node) { e.NotText = r.Text(n) },
		"per":      func(n ast.Node) { e.PerRun = r.per(n) },
	}
	r.counted(by, &e.Count)
	r.Fields(node, by)
	r.check(node, e.Count)
	return e
}

// counted adds the keys of a count.
func (r *reader) counted(by map[string]func(ast.Node), count *expect.Count) {
	set := func(to **int64) func(ast.Node) {
		return func(n ast.Node) {
			number := r.Number(n, 0, 1<<40)
			*to = &number
		}
	}
	by["exactly"], by["at_least"], by["at_most"] = set(&count.Exactly), set(&count.AtLeast), set(&count.AtMost)
}

func (r *reader) check(node ast.Node, count expect.Count) {
	if r.Err != nil {
		return
	}
	if err := count.Check(); err != nil {
		r.Fail(node, "%v", err)
	}
}

func (r *reader) per(node ast.Node) (run bool) {
	switch text := r.Text(node); text {
	case "run":
		return true
	case "round":
	default:
		r.Fail(node, "per is run or round, not %q", text)
	}
	return false
}

func (r *reader) statuses(node ast.Node) expect.Statuses {
	var all expect.Statuses
	for _, item := range r.Items(node) {
		set, err := expect.ParseStatus(r.Text(item))
		if err != nil {
			r.Fail(item, "%v", err)
		}
		all = append(all, set...)
	}
	if r.Err == nil && len(all) == 0 {
		r.Fail(node, "a status is needed")
	}
	return all
}

func (r *reader) wants(node ast.Node) []expect.Want {
	var wants []expect.Want
	for _, p := range r.Pairs(node) {
		path, err := expect.ParsePath(p.Key)
		if err != nil {
			r.Fail(p.At, "%q is no path: %v", p.Key, err)
		}
		wants = append(wants, expect.Want{Path: path, Value: r.value(p.Value)})
	}
	if r.Err == nil && len(wants) == 0 {
		r.Fail(node, "a path and its value are needed, as {status: noop}")
	}
	return wants
}

// fieldsWanted reads header fields and the values that they must have.
func (r *reader) fieldsWanted(node ast.Node) []expect.Field {
	var fields []expect.Field
	for _, p := range r.Pairs(node) {
		if problem := headerName(p.Key); problem != "" {
			r.Fail(p.At, "%q cannot be the name of a header", p.Key)
		}
		fields = append(fields, expect.Field{Name: p.Key, Value: r.Text(p.Value)})
	}
	return fields
}

// value reads a scalar with its type: text, number, true, false or null.
func (r *reader) value(node ast.Node) any {
	plain := r.Plain(node)
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
	text := r.Text(node)
	if strings.Contains(text, "{{") {
		r.Fail(plain, "a value looked for in JSON is no template")
	}
	return text
}

func (r *reader) rowCheck(node ast.Node, number int) rowCheck {
	c := rowCheck{name: fmt.Sprintf("rows %d", number), settle: defaultSettle, within: defaultWithin, where: r.Where(node)}
	database, command := false, false
	by := map[string]func(ast.Node){
		"name":   func(n ast.Node) { c.name = r.Text(n) },
		"source": func(n ast.Node) { c.location, database = r.Text(n), true },
		"sql": func(n ast.Node) {
			c.sql, database = r.Text(n), true
			c.shown, _ = yaml.Scalar(r.Plain(n))
		},
		"args": func(n ast.Node) {
			for _, item := range r.Items(n) {
				c.args = append(c.args, r.source(item))
			}
		},
		"run": func(n ast.Node) {
			c.sql, c.location = r.Text(n), byCommand
			c.shown, _ = yaml.Scalar(r.Plain(n))
			command = true
		},
		"per":    func(n ast.Node) { c.perRun = r.per(n) },
		"settle": func(n ast.Node) { c.settle = r.Duration(n, 0, time.Minute) },
		"within": func(n ast.Node) { c.within = r.Duration(n, 0, time.Hour) },
	}
	r.counted(by, &c.count)
	r.Fields(node, by)
	r.check(node, c.count)
	switch {
	case r.Err != nil:
	case database && command:
		r.Fail(node, "a count comes from sql and its source, or from what a command prints (run): one of them")
	case strings.TrimSpace(c.sql) == "":
		r.Fail(node, "sql is needed, as SELECT count(*) FROM …, or a command that prints a number, as run: wc -l < queue.txt")
	}
	if c.location == "" && r.Err == nil {
		c.location = r.defaultSource(node)
	}
	return c
}

func (r *reader) defaultSource(node ast.Node) string {
	location, _ := r.Env("DATABASE_URL")
	if location == "" {
		r.Fail(node, "source is needed: neither it nor the environment variable DATABASE_URL is set")
	}
	return location
}
