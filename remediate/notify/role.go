package notify

import "strings"

// roles are names before the @ that belong to an office and no person: those
// of RFC 2142 and what else is common.
var roles = wordSet(`abuse accounting accounts admin administrator billing booking bookings careers compliance contact
customerservice customercare dev devnull do-not-reply donotreply dpo enquiries events feedback finance ftp hello help
helpdesk hostmaster hr info inquiries invoice invoices it jobs legal list list-request mail mailer-daemon marketing media
news newsletter no-reply nobody noc noreply office operations ops orders payments postmaster press privacy
purchasing recruiting reception registrar root sales security service shop spam staff subscribe support sysadmin
team tech undisclosed-recipients unsubscribe usenet uucp webmaster welcome www`)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

// isRole is true for an address of an office; the plus part says nothing about that.
func isRole(a address) bool {
	local, _, _ := strings.Cut(a.identity, "@")
	local, _, _ = strings.Cut(local, "+")
	return roles[local]
}
