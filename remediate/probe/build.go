package probe

import (
	"fmt"
	"hash/maphash"
	"maps"
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

var madeSeed = maphash.MakeSeed()

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
		sketched := maps.Clone(vars)
		r.spec.standIns(r.spec.step, sketched)
		request, err := r.spec.render(m, sketched)
		if err != nil {
			return cell{}, err
		}
		made := maphash.String(madeSeed, fmt.Sprintf("%q %q %q %v", m.Key, request.Path, request.Body, vars))
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

func (s *Spec) evaluate(m moment) (map[string]string, error) {
	return evaluate(s.sessionOf(m.User).taken, s.vars, m)
}

// controlVars are the probe's vars with the control's own put over them.
func (s *Spec) controlVars(m moment) (map[string]string, error) {
	vars, err := s.evaluate(m)
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
	// call is nil for that of the step under proof.
	call     *call
	cells    []cell
	requests []gate.Request
	of       []int
}

// roundCells evaluates vars for each key, once for all steps of a round.
func (r *runner) roundCells(round int) ([]cell, error) {
	var cells []cell
	for k, key := range r.spec.allKeys() {
		c, err := r.cell(moment{Key: key, User: k + 1, Copy: 1, Round: round}, r.spec.evaluate)
		if err != nil {
			return nil, err
		}
		cells = append(cells, c)
	}
	return cells, nil
}

// copiesVolley builds a step's requests, copies of a key side by side so that
// they arrive side by side. Users are numbered round robin over the keys.
func (r *runner) copiesVolley(st *step, cells []cell) (*volley, error) {
	v := &volley{call: &st.call, cells: cells}
	signatures := r.newSignatures()
	for k := range cells {
		for n := range st.copies {
			m := cells[k].moment
			m.Copy, m.User = n+1, n*len(cells)+k+1
			if err := v.add(r, signatures, k, m, cells[k].vars); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// distinctVolley builds messages that differ, each with vars of its own.
func (r *runner) distinctVolley(st *step, round int) (*volley, error) {
	v := &volley{call: &st.call}
	signatures := r.newSignatures()
	for n := range st.distinct {
		c, err := r.messageCell(round, n)
		if err != nil {
			return nil, err
		}
		v.cells = append(v.cells, c)
		if err := v.add(r, signatures, n, c.moment, c.vars); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// messageCell is what one message of many is made from; users go round robin
// over the keys.
func (r *runner) messageCell(round, n int) (cell, error) {
	keys := r.spec.allKeys()
	return r.cell(moment{Key: keys[n%len(keys)], User: n + 1, Copy: n + 1, Round: round}, r.spec.evaluate)
}

func (v *volley) add(r *runner, signatures *signatures, of int, m moment, vars map[string]string) error {
	c := v.call
	if c == nil {
		c = &r.spec.call
	}
	request, err := r.spec.renderCall(c, m, vars)
	if err != nil {
		return err
	}
	if err := r.complete(request, c, signatures, m); err != nil {
		return err
	}
	v.requests, v.of = append(v.requests, *request), append(v.of, of)
	return nil
}

// complete adds what the probe puts into every request: who sends it, the
// cookies of its user's login, and the signature.
func (r *runner) complete(request *gate.Request, c *call, signatures *signatures, m moment) error {
	set := func(name, value string) {
		if value != "" && !hasHeader(request, name) {
			request.Header = append(request.Header, gate.Field{Name: name, Value: value})
		}
	}
	set("User-Agent", agent+"/"+r.deps.Version)
	if r.spec.mark != "" {
		set(r.spec.mark, r.id)
	}
	set("Cookie", r.spec.sessionOf(m.User).cookies)
	return signatures.sign(r.signers[c.signing], request, m.UUID)
}

// signatures signs a round's requests: equal ones once, so that all copies
// carry the same bytes.
type signatures struct {
	at    time.Time
	known map[string][]sign.Field
}

func (r *runner) newSignatures() *signatures {
	return &signatures{at: r.deps.Now(), known: map[string][]sign.Field{}}
}

func (s *signatures) sign(signer *sign.Signer, request *gate.Request, id string) error {
	if signer == nil {
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
	known := fmt.Sprintf("%p %s %s %q", signer, message.URL, message.ID, message.Body)
	fields, ok := s.known[known]
	if !ok {
		var err error
		if fields, err = signer.Sign(message); err != nil {
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
