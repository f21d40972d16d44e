package notify

import "twinrow/templates"

// entryRefund is the money of one entry: what the copies to disregard were
// charged with. Copies that cost nothing took none.
func (c *composer) entryRefund(e entry, say *speaker) templates.MailRefund {
	refund := templates.MailRefund{State: c.money.stateOf(e.table)}
	if refund.State == "" {
		return refund
	}
	if total, ok := c.money.sum(e.table, e.drop); ok {
		if total.units.Sign() == 0 {
			return templates.MailRefund{}
		}
		refund.Amount = c.show(say.money(total))
	}
	return refund
}

// refundOf is the money of all entries together. Its amount is named only
// where it is that of all, in one currency.
func (c *composer) refundOf(entries []entry, composed []templates.MailEntry, say *speaker) templates.MailRefund {
	var refund templates.MailRefund
	var total amount
	known := true
	for i, e := range entries {
		state := composed[i].Refund.State
		if state == "" {
			continue
		}
		if refund.State != "" && refund.State != state {
			return templates.MailRefund{State: templates.RefundMixed}
		}
		refund.State = state
		sum, ok := c.money.sum(e.table, e.drop)
		known = known && ok && total.add(sum)
	}
	if refund.State != "" && known {
		refund.Amount = c.show(say.money(total))
	}
	return refund
}

// unreadableAmounts counts the entries whose mail cannot name the amount.
func (c *composer) unreadableAmounts(customers []*customer) int {
	n := 0
	for _, to := range customers {
		for _, e := range to.entries {
			if _, ok := c.money.sum(e.table, e.drop); !ok && e.table.Amount != "" && c.money.stateOf(e.table) != "" {
				n++
			}
		}
	}
	return n
}
