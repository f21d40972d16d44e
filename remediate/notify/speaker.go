package notify

import (
	"time"

	"twinrow/templates"
)

// speaker puts facts into the words of one language and keeps the first error.
type speaker struct {
	words *templates.MailWords
	err   error
	// said remembers what was said of what: most mails of an incident say the
	// same of their causes, counts and times.
	said map[any]string
}

// maxSaid bounds what is remembered.
const maxSaid = 4096

// once says of a fact what was said of it before, or says it. Facts of
// different kinds differ in their type.
func (s *speaker) once(fact any, say func() (string, error)) string {
	if known, ok := s.said[fact]; ok {
		return known
	}
	if s.said == nil || len(s.said) >= maxSaid {
		s.said = map[any]string{}
	}
	text := s.keep(say())
	s.said[fact] = text
	return text
}

// Kinds of facts that are plain numbers.
type (
	timesFact int
	placeFact int
)

func (s *speaker) keep(said string, err error) string {
	if s.err == nil {
		s.err = err
	}
	return said
}

func (s *speaker) made(t time.Time) string {
	date := dateOf(t)
	return s.once(date, func() (string, error) {
		said, err := s.words.Date(date)
		if err != nil {
			return "", err
		}
		return s.words.Made(said)
	})
}

func (s *speaker) later(use, copied time.Time) string {
	span := spanBetween(use, copied)
	return s.once(span, func() (string, error) { return s.words.Later(span) })
}

func (s *speaker) times(n int) string {
	return s.once(timesFact(n), func() (string, error) { return s.words.Times(n) })
}

func (s *speaker) place(n int) string {
	return s.once(placeFact(n), func() (string, error) { return s.words.Place(n) })
}

// untimed names a copy where no time tells it from the others.
func (s *speaker) untimed(use bool) string {
	if use {
		return s.keep(s.words.Original())
	}
	return s.keep(s.words.Copy())
}

func (s *speaker) cause(class string, many bool) string {
	cause := templates.MailCause{Class: class, Many: many}
	return s.once(cause, func() (string, error) { return s.words.Cause(cause) })
}

func (s *speaker) entry() (one, many string) {
	one, many, err := s.words.Entry()
	s.keep("", err)
	return one, many
}

func (s *speaker) money(a amount) string { return s.keep(s.words.Money(a.parts())) }
