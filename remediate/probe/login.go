package probe

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe/expect"
	"twinrow/remediate/probe/internal/gate"
)

// login is a request that is sent once, before everything else. The cookies of
// its answer go with all later requests, and what is taken from its JSON can
// be used in templates. Neither is ever shown.
type login struct {
	where string
	call
	statuses expect.Statuses
	take     []taking
}

// taking names a value of the login's answer for templates.
type taking struct {
	name string
	path expect.Path
}

// takes reads names and the JSON paths of their values.
func (r *reader) takes(node ast.Node) []taking {
	var all []taking
	for _, p := range r.Pairs(node) {
		r.checkVariable(p)
		path, err := expect.ParsePath(r.Text(p.Value))
		if err != nil {
			r.Fail(p.Value, "that is no path: %v", err)
		}
		all = append(all, taking{p.Key, path})
	}
	return all
}

// logIn sends the login's request and keeps what came of it.
func (r *runner) logIn(ctx context.Context) error {
	l := r.spec.login
	if l == nil {
		return nil
	}
	m := moment{User: 1, Copy: 1, Round: 1, Now: r.deps.Now(), UUID: newUUID()}
	request, err := r.spec.renderCall(&l.call, m, nil)
	if err != nil {
		return err
	}
	if err := r.complete(request, &l.call, r.newSignatures(), m.UUID); err != nil {
		return err
	}
	answer := r.client.send(ctx, request)
	if answer.Err != nil {
		return r.explain(answer.Err)
	}
	if !l.statuses.Has(answer.Status) {
		return &casefile.Problem{Code: casefile.CodeBadInput, Message: fmt.Sprintf("%s: the login was answered %d", l.where, answer.Status),
			Hint: "check the login's body and the credentials in the environment"}
	}
	return r.keepLogin(&answer)
}

func (r *runner) keepLogin(answer *gate.Answer) error {
	var cookies []string
	for _, cookie := range (&http.Response{Header: answer.Header}).Cookies() {
		if cookie.MaxAge >= 0 && cookie.Value != "" {
			cookies = append(cookies, cookie.Name+"="+cookie.Value)
		}
	}
	r.cookies = strings.Join(cookies, "; ")
	body := expect.NewBody(answer.Body, answer.Unread != "")
	document, _ := body.JSON()
	for _, t := range r.spec.login.take {
		values := t.path.Find(document)
		text, ok := "", false
		if len(values) > 0 {
			text, ok = expect.Scalar(values[0])
		}
		if !ok {
			return &casefile.Problem{Code: casefile.CodeBadInput, Message: fmt.Sprintf("%s: the login's answer has no %s", r.spec.login.where, t.path),
				Hint: "take names a path in the JSON that the login answers, as in take: {token: data.access_token}"}
		}
		r.spec.taken[t.name] = text
	}
	return nil
}
