package probe

import (
	"github.com/goccy/go-yaml/ast"
)

// serverTimes reads where the target tells its times: one of header, sql, log.
func (r *reader) serverTimes(node ast.Node) *serverTimes {
	t := &serverTimes{where: r.Where(node)}
	r.Fields(node, map[string]func(ast.Node){
		"header": func(n ast.Node) { t.header = r.headerName(n) },
		"metric": func(n ast.Node) { t.metric = r.Text(n) },
		"source": func(n ast.Node) { t.location = r.Text(n) },
		"sql":    func(n ast.Node) { t.sql = r.Text(n) },
		"args": func(n ast.Node) {
			for _, item := range r.Items(n) {
				t.args = append(t.args, r.source(item))
			}
		},
		"log":   func(n ast.Node) { t.log = r.Text(n) },
		"began": func(n ast.Node) { t.began = r.source(n) },
		"ended": func(n ast.Node) { t.ended = r.source(n) },
	})
	ways := 0
	for _, way := range []string{t.header, t.sql, t.log} {
		if way != "" {
			ways++
		}
	}
	switch {
	case r.Err != nil:
	case ways != 1:
		r.Fail(node, "server_times needs one of header, sql, log")
	case t.metric != "" && t.header == "":
		r.Fail(node, "metric belongs to header: server-timing")
	case t.location != "" && t.sql == "":
		r.Fail(node, "source belongs to sql")
	case (t.log == "") == t.began.given():
		r.Fail(node, "log and began belong together: began is a regular expression with the time as its group")
	case t.ended.given() && t.log == "":
		r.Fail(node, "ended belongs to log")
	}
	if t.sql != "" && t.location == "" && r.Err == nil {
		t.location = r.defaultSource(node)
	}
	return t
}
