package probe

import (
	"encoding/json"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/detect/casefile/yaml"
)

// digest names what a probe asks: the requests and what is expected of them,
// as written, with the environment's names and not its values. Probes of the
// same digest may be compared. Left out is what may well differ between a
// build and its fix: the target's host, rounds, time limits and names.
func (s *Spec) digest() string {
	asked := map[string]any{"keys": s.keys, "vars": shownVars(s.vars)}
	if s.login != nil {
		asked["login"] = s.login.asked()
		if s.login.users > 1 {
			asked["users"] = s.login.users
		}
		if len(s.login.take) > 0 {
			asked["login takes"] = shownTakes(s.login.take)
		}
	}
	var steps []any
	for _, st := range s.judged() {
		step := map[string]any{
			"copies": st.copies, "distinct": st.distinct, "again": st.again, "after": st.againAfter, "cut": st.cut,
			"rate": st.rate, "for": st.length, "run": st.command, "recover": st.recover, "expect": st.shownExpectations(), "latency": len(st.latency),
		}
		if st.fires() {
			step["call"] = st.asked()
		}
		if len(st.take) > 0 {
			step["takes"] = shownTakes(st.take)
		}
		for i := range st.rows {
			for k := range st.rows[i].args {
				step["args"] = append(anyList(step["args"]), st.rows[i].args[k].raw)
			}
		}
		steps = append(steps, step)
	}
	asked["steps"] = steps
	text, err := json.Marshal(asked)
	if err != nil {
		return ""
	}
	return casefile.Digest(text)
}

func anyList(list any) []any {
	known, _ := list.([]any)
	return known
}

func shownVars(vars []variable) [][2]string {
	var all [][2]string
	for i := range vars {
		all = append(all, [2]string{vars[i].name, vars[i].value.raw})
	}
	return all
}

func (c *call) asked() any {
	out := map[string]any{"method": c.method, "path": pathOf(c.target.raw), "body": c.body.raw}
	for i := range c.headers {
		out["headers"] = append(anyList(out["headers"]), c.headers[i].name+": "+c.headers[i].value.raw)
	}
	if c.signing != nil {
		out["sign"] = c.signing.config
	}
	return out
}

// pathOf takes scheme and host off a URL as it was written.
func pathOf(raw string) string {
	if base := yaml.Reference.FindStringIndex(raw); base != nil && base[0] == 0 {
		raw = "://" + raw[base[1]:] // ${BASE_URL}/path
	}
	_, rest, _ := strings.Cut(raw, "://")
	if at := strings.IndexAny(rest, "/?"); at >= 0 {
		return rest[at:]
	}
	return ""
}
