package notify

import (
	"errors"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"twinrow/detect/casefile"
)

// address is one that mail can be sent to.
type address struct {
	// deliver is as it was written, with the domain in ASCII.
	deliver string
	// identity is what two spellings of one address have in common: trimmed
	// and case-folded, the plus part kept.
	identity string
}

// Limits of RFC 5321, section 4.5.3.1, in bytes.
const (
	maxLocal  = 64
	maxDomain = 255
)

// parseAddress reads a value that ought to be one bare address. The error says
// in words what is wrong and does not repeat the value.
func parseAddress(value string) (address, error) {
	value = strings.TrimSpace(value)
	if !utf8.ValidString(value) {
		return address{}, errors.New("it holds bytes that are no text")
	}
	local, domain, err := splitAddress(value)
	if err != nil {
		return address{}, err
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if again, errAgain := idna.Lookup.ToASCII(ascii); err == nil && (errAgain != nil || again != ascii) {
		err = errors.New("the domain has no stable form")
	}
	if err != nil || len(ascii) > maxDomain || !plausibleDomain(ascii) {
		return address{}, errors.New("what stands after the @ is no domain")
	}
	deliver := local + "@" + ascii
	return address{deliver: deliver, identity: strings.ToLower(deliver)}, nil
}

func splitAddress(value string) (local, domain string, err error) {
	at := strings.LastIndexByte(value, '@')
	if at < 1 || at == len(value)-1 {
		return "", "", errors.New("an address has a name, an @ and a domain")
	}
	local, domain = value[:at], value[at+1:]
	if len(local) > maxLocal {
		return "", "", errors.New("what stands before the @ is longer than an address may be")
	}
	for _, r := range local {
		if r >= 0x80 {
			return "", "", errors.New("what stands before the @ is not plain ASCII, which few mail servers take: write by hand")
		}
	}
	parsed, err := mail.ParseAddress(local + "@example.com")
	if err != nil || parsed.Name != "" || parsed.Address != local+"@example.com" || strings.ContainsAny(local, " \"()<>[]:;,\\") {
		return "", "", errors.New("what stands before the @ is not of the form that addresses have")
	}
	return local, domain, nil
}

// plausibleDomain is true for at least two labels, none empty and the last one
// not a number.
func plausibleDomain(ascii string) bool {
	if strings.Contains("."+ascii+".", "..") {
		return false
	}
	dot := strings.LastIndexByte(ascii, '.')
	return dot > 0 && strings.Trim(ascii[dot+1:], "0123456789") != ""
}

// parseMailbox reads an address with or without a display name, as the user
// gave it for a flag.
func parseMailbox(flag, value string) (Mailbox, error) {
	parsed, err := mail.ParseAddress(value)
	if err != nil {
		return Mailbox{}, &Problem{Code: casefile.CodeUsage, Message: flag + " is no mail address", Hint: `write it as help@example.com or "Help desk <help@example.com>"`}
	}
	checked, err := parseAddress(parsed.Address)
	if err != nil {
		return Mailbox{}, &Problem{Code: casefile.CodeUsage, Message: flag + " is no mail address that mail can be sent from", Hint: `write it as help@example.com or "Help desk <help@example.com>"`, Err: err}
	}
	return Mailbox{Name: cleanLine(parsed.Name, maxName), Address: checked.deliver}, nil
}
