package classify

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"twinrow/detect/key"
)

// Schedule is when a provider delivers again after a failure.
type Schedule struct {
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	// Cumulative are the waits since the first delivery, ascending; empty
	// where the provider publishes none.
	Cumulative []time.Duration `yaml:"cumulative"`
	// Tolerance is how far one wait may be off, as a share of it.
	Tolerance float64 `yaml:"tolerance"`
	// Timeout is how long a delivery may take before it counts as failed: the
	// next wait starts only then.
	Timeout time.Duration `yaml:"timeout"`
	// Window is how long the provider goes on; 0 is the last of Cumulative.
	Window time.Duration `yaml:"window"`
	// Attempts is how many deliveries there are at most; 0 where not known.
	Attempts int `yaml:"attempts"`
	// Automatic is false for a provider that does not deliver again by itself.
	Automatic *bool `yaml:"automatic"`
	// ValidFrom and ValidUntil are days, "" where not known. Source says who
	// says so; Confidence is "high", "medium" or "low".
	ValidFrom  string `yaml:"valid_from"`
	ValidUntil string `yaml:"valid_until"`
	Source     string `yaml:"source"`
	Confidence string `yaml:"confidence"`
}

//go:embed providers.yaml
var providers []byte

// Providers are the schedules known, as providers.yaml has them.
func Providers() []Schedule {
	all, err := parseSchedules(providers)
	if err != nil {
		panic("providers.yaml: " + err.Error()) // ours; its test reads it
	}
	return all
}

// ChooseSchedules returns the schedules to try: those of file and of the table,
// or of them only the one that name names. Both may be empty.
func ChooseSchedules(name, file string) ([]Schedule, error) {
	all := Providers()
	if file != "" {
		own, err := readSchedules(file)
		if err != nil {
			return nil, err
		}
		all = slices.Concat(own, slices.DeleteFunc(all, func(s Schedule) bool {
			return slices.ContainsFunc(own, func(o Schedule) bool { return o.Name == s.Name })
		}))
		if name == "" {
			return all, nil
		}
	}
	if name == "" {
		return all, nil
	}
	var names []string
	for _, s := range all {
		if strings.EqualFold(s.Name, name) {
			return []Schedule{s}, nil
		}
		names = append(names, s.Name)
	}
	p := key.NotFound("provider", name, names)
	p.Code = key.CodeUsage
	p.Hint = strings.TrimPrefix(p.Hint+"; known are "+strings.Join(names, ", ")+", and --schedules FILE adds your own", "; ")
	return nil, p
}

func readSchedules(path string) ([]Schedule, error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, &key.Problem{Code: key.CodeNotFound, Message: "opening the schedules", Hint: "check the path given with --schedules", Err: err}
	}
	defer opened.Close()
	const most = 1 << 20
	raw, err := io.ReadAll(io.LimitReader(opened, most))
	if err != nil {
		return nil, &key.Problem{Code: key.CodeBadInput, Message: "reading the schedules of " + path, Hint: "check the file", Err: err}
	}
	all, err := parseSchedules(raw)
	if err != nil {
		return nil, &key.Problem{
			Code: key.CodeBadInput, Message: "the schedules of " + path + " cannot be used", Err: err,
			Hint: "write it as: schedules: [{name: mine, cumulative: [1m, 6m, 36m], tolerance: 0.1, timeout: 10s}]",
		}
	}
	return all, nil
}

// parseSchedules reads and checks a list of schedules.
func parseSchedules(raw []byte) ([]Schedule, error) {
	var document struct {
		Schedules []Schedule `yaml:"schedules"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict())
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	if len(document.Schedules) == 0 {
		return nil, errors.New("there is no schedule in it")
	}
	for i := range document.Schedules {
		if err := document.Schedules[i].check(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(document.Schedules[:i], func(s Schedule) bool { return s.Name == document.Schedules[i].Name }) {
			return nil, fmt.Errorf("the name %q stands twice", document.Schedules[i].Name)
		}
	}
	return document.Schedules, nil
}

// check refuses what cannot be a schedule and fills in what may be left out.
func (s *Schedule) check() error {
	const most = 1000
	switch {
	case s.Name == "":
		return errors.New("a schedule has no name")
	case !slices.IsSorted(s.Cumulative) || len(s.Cumulative) > 0 && s.Cumulative[0] < 0:
		return fmt.Errorf("the waits of %s do not ascend: they are since the first delivery", s.Name)
	case len(s.Cumulative) > most:
		return fmt.Errorf("%s has more than %d waits", s.Name, most)
	case s.Tolerance < 0 || s.Tolerance >= 1:
		return fmt.Errorf("the tolerance of %s is not from 0 to 1", s.Name)
	case s.Timeout < 0 || s.Window < 0 || s.Attempts < 0:
		return fmt.Errorf("%s has a negative figure", s.Name)
	case len(s.Cumulative) == 0 && s.Window == 0 && s.automatic():
		return fmt.Errorf("%s has neither cumulative waits nor a window", s.Name)
	}
	if s.Title == "" {
		s.Title = s.Name
	}
	if s.Source == "" {
		s.Source = "given by the user"
	}
	if s.Confidence == "" {
		s.Confidence = "medium"
	}
	if s.Window == 0 && len(s.Cumulative) > 0 {
		s.Window = s.Cumulative[len(s.Cumulative)-1]
	}
	return nil
}

func (s *Schedule) automatic() bool { return s.Automatic == nil || *s.Automatic }

// waits are the waits between attempts: waits[0] is from the first to the second.
func (s *Schedule) waits() []time.Duration {
	out := make([]time.Duration, len(s.Cumulative))
	last := time.Duration(0)
	for i, c := range s.Cumulative {
		out[i], last = c-last, c
	}
	return out
}

// valid tells whether the schedule held at a time.
func (s *Schedule) valid(at time.Time) bool {
	day := at.UTC().Format(time.DateOnly)
	return (s.ValidFrom == "" || day >= s.ValidFrom) && (s.ValidUntil == "" || day < s.ValidUntil)
}
