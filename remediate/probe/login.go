package probe

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"twinrow/detect/casefile"
	"twinrow/detect/casefile/yaml"
	"twinrow/remediate/probe/expect"
	"twinrow/remediate/probe/internal/gate"
)

// login is a request that is sent before everything else, once for each of its
// users. The cookies of an answer go with all later requests of its user, and
// what is taken from its JSON can be used in templates. Neither is ever shown.
type login struct {
	where string
	call
	statuses expect.Statuses
	take     []taking
	// users is how many log in, at least one; names are those that templates
	// know as .Name, or nil.
	users int
	names []string
}

// login reads the request that is sent before everything else.
func (r *reader) login(node ast.Node) *login {
	l := &login{where: r.Where(node), users: 1}
	l.statuses = knownStatuses("2xx", "302", "303")
	r.Fields(node, map[string]func(ast.Node){
		"target":  func(n ast.Node) { l.target = r.source(n) },
		"request": func(n ast.Node) { r.request(n, &l.call) },
		"status":  func(n ast.Node) { l.statuses = r.statuses(n) },
		"take":    func(n ast.Node) { l.take = r.takes(n) },
		"users": func(n ast.Node) {
			if _, one := yaml.Scalar(r.Plain(n)); one {
				l.users = int(r.Number(n, 1, MaxAtOnce))
				return
			}
			l.names = r.Texts(n)
			if l.users = len(l.names); r.Err == nil && (l.users == 0 || l.users > MaxAtOnce) {
				r.Fail(n, "from 1 to %d users are needed", MaxAtOnce)
			}
		},
	})
	if r.Err == nil && !l.target.given() {
		r.Fail(node, "login needs a target, the URL to log in at")
	}
	return l
}

// session is what a user's requests have from its login.
type session struct {
	// taken are the values for templates, the user's name among them.
	taken map[string]string
	// cookies is the Cookie header, or "".
	cookies string
}

// newSessions are the users' before they log in, with stand-ins that differ.
func newSessions(l *login) []session {
	if l == nil {
		return []session{{}}
	}
	all := make([]session, l.users)
	for i := range all {
		all[i].taken = map[string]string{}
		for _, t := range l.take {
			all[i].taken[t.name] = fmt.Sprintf("%s (user %d)", standIn, i+1)
		}
		if l.names != nil {
			all[i].taken["Name"] = l.names[i]
		}
	}
	return all
}

// sessionOf is that of a user; there may be fewer logins than users, who then
// share them in turn. Users are counted from one.
func (s *Spec) sessionOf(user int) *session { return &s.sessions[max(0, user-1)%len(s.sessions)] }

// checkUsers refuses vars that hold one user's values: they are evaluated once
// for each key, so that all its users would send the same.
func (s *Spec) checkUsers(one moment) error {
	if len(s.sessions) < 2 {
		return nil
	}
	first, err := evaluate(s.sessions[0].taken, s.vars, one)
	if err != nil {
		return err
	}
	second, err := evaluate(s.sessions[1].taken, s.vars, one)
	if err != nil {
		return err
	}
	for i := range s.vars {
		if name := s.vars[i].name; first[name] != second[name] {
			return problem(s.vars[i].value.where, "%s would hold what one of the users took, and all users of a key share vars: write it into the request itself", name)
		}
	}
	return nil
}

// logIn sends the users' logins, one after another, and keeps what came of them.
func (r *runner) logIn(ctx context.Context) error {
	l := r.spec.login
	if l == nil {
		return nil
	}
	sessions := newSessions(l)
	for i := range sessions {
		m := moment{User: i + 1, Copy: 1, Round: 1, Now: r.deps.Now(), UUID: newUUID()}
		request, err := r.spec.renderCall(&l.call, m, sessions[i].named())
		if err != nil {
			return err
		}
		if err := r.complete(request, &l.call, r.newSignatures(), m); err != nil {
			return err
		}
		answer := r.client.send(ctx, request)
		if answer.Err != nil {
			return r.explain(answer.Err)
		}
		if err := l.keep(&sessions[i], &answer, i+1); err != nil {
			return err
		}
	}
	r.spec.sessions = sessions
	return nil
}

// named is the user's name alone, which a login may use.
func (s *session) named() map[string]string {
	if name, ok := s.taken["Name"]; ok {
		return map[string]string{"Name": name}
	}
	return nil
}

func (l *login) keep(s *session, answer *gate.Answer, user int) error {
	who := ""
	if l.users > 1 {
		who = fmt.Sprintf(" of user %d", user)
	}
	if !l.statuses.Has(answer.Status) {
		return &casefile.Problem{Code: casefile.CodeBadInput, Message: fmt.Sprintf("%s: the login%s was answered %d", l.where, who, answer.Status),
			Hint: "check the login's body and the credentials in the environment"}
	}
	var cookies []string
	for _, cookie := range (&http.Response{Header: answer.Header}).Cookies() {
		if cookie.MaxAge >= 0 && cookie.Value != "" {
			cookies = append(cookies, cookie.Name+"="+cookie.Value)
		}
	}
	s.cookies = strings.Join(cookies, "; ")
	values, lacks := find(l.take, answer)
	if lacks != "" {
		return &casefile.Problem{Code: casefile.CodeBadInput, Message: fmt.Sprintf("%s: the login's answer%s has no %s", l.where, who, lacks),
			Hint: "take names a path in the JSON that the login answers, as in take: {token: data.access_token}"}
	}
	maps.Copy(s.taken, values)
	return nil
}
