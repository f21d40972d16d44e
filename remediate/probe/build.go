package probe

import (
	"fmt"
	"strings"
	"time"

	"twinrow/remediate/probe/internal/gate"
	"twinrow/remediate/probe/sign"
)

// cell is one key in one round: everything its copies share.
type cell struct {
	moment moment
	vars   map[string]string
}

// cell evaluates vars once. Where the probe is fresh, a cell that came out as
// an earlier one gets a later time until it does not.
func (r *runner) cell(m moment, evaluate func(moment) (map[string]string, error)) (cell, error) {
	m.Now = r.deps.Now()
	if m.Now.Before(r.virtual) {
		m.Now = r.virtual
	}
	for try := 0; ; try++ {
		m.UUID = newUUID()
		vars, err := evaluate(m)
		if err != nil {
			return cell{}, err
		}
		request, err := r.spec.render(m, vars)
		if err != nil {
			return cell{}, err
		}
		made := fmt.Sprintf("%q %q %q %v", m.Key, request.Path, request.Body, vars)
		if !r.seen[made] || try == 4 {
			r.seen[made] = true
			r.virtual = m.Now
			return cell{m, vars}, nil
		}
		step := time.Millisecond
		if try > 0 {
			step = time.Second
		}
		m.Now = m.Now.Add(step)
	}
}

func (s *Spec) evaluate(m moment) (map[string]string, error) { return evaluate(s.vars, m) }

// controlVars are the probe's vars with the control's own put over them.
func (s *Spec) controlVars(m moment) (map[string]string, error) {
	vars, err := evaluate(s.vars, m)
	if err != nil {
		return nil, err
	}
	for i := range s.control.vars {
		text, err := s.control.vars[i].value.render(m.data(vars))
		if err != nil {
			return nil, err
		}
		vars[s.control.vars[i].name] = text
	}
	return vars, nil
}

// volley is the requests of a round and the cell that each belongs to.
type volley struct {
	cells    []cell
	requests []gate.Request
	of       []int
}

// attackVolley builds a round's requests, copies of a key side by side so that
// they arrive side by side. Users are numbered round robin over the keys.
func (r *runner) attackVolley(round int) (*volley, error) {
	keys := r.spec.allKeys()
	v := &volley{}
	signatures := r.newSignatures()
	for k, key := range keys {
		c, err := r.cell(moment{Key: key, User: k + 1, Copy: 1, Round: round}, r.spec.evaluate)
		if err != nil {
			return nil, err
		}
		v.cells = append(v.cells, c)
		for n := range r.spec.copies {
			m := c.moment
			m.Copy, m.User = n+1, n*len(keys)+k+1
			if err := v.add(r, signatures, k, m, c.vars); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func (v *volley) add(r *runner, signatures *signatures, of int, m moment, vars map[string]string) error {
	request, err := r.spec.render(m, vars)
	if err != nil {
		return err
	}
	if !hasHeader(request, "user-agent") {
		request.Header = append(request.Header, gate.Field{Name: "User-Agent", Value: agent + "/" + r.deps.Version})
	}
	if err := signatures.sign(request, v.cells[of].moment.UUID); err != nil {
		return err
	}
	v.requests, v.of = append(v.requests, *request), append(v.of, of)
	return nil
}

// signatures signs a round's requests: equal ones once, so that all copies
// carry the same bytes.
type signatures struct {
	signer *sign.Signer
	at     time.Time
	known  map[string][]sign.Field
}

func (r *runner) newSignatures() *signatures {
	return &signatures{signer: r.signer, at: r.deps.Now(), known: map[string][]sign.Field{}}
}

func (s *signatures) sign(request *gate.Request, id string) error {
	if s.signer == nil {
		return nil
	}
	message := sign.Message{
		Method: request.Method, URL: request.Scheme + "://" + request.Authority + request.Path,
		ContentType: headerValue(request, "content-type"), ID: "msg_" + strings.ReplaceAll(id, "-", ""), Body: request.Body, Time: s.at,
	}
	for _, own := range []string{"webhook-id", "svix-id"} {
		if value := headerValue(request, own); value != "" {
			message.ID = value
		}
	}
	known := fmt.Sprintf("%s %s %q", message.URL, message.ID, message.Body)
	fields, ok := s.known[known]
	if !ok {
		var err error
		if fields, err = s.signer.Sign(message); err != nil {
			return err
		}
		s.known[known] = fields
	}
	for _, field := range fields {
		if !hasHeader(request, field.Name) {
			request.Header = append(request.Header, gate.Field(field))
		}
	}
	return nil
}

func headerValue(request *gate.Request, name string) string {
	for _, field := range request.Header {
		if strings.EqualFold(field.Name, name) {
			return field.Value
		}
	}
	return ""
}

func hasHeader(request *gate.Request, name string) bool {
	for _, field := range request.Header {
		if strings.EqualFold(field.Name, name) {
			return true
		}
	}
	return false
}
