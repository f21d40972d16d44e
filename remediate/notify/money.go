package notify

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/templates"
)

// moneyRules say of which tables money was taken more than once, and how to
// read the amounts.
type moneyRules struct {
	// byTable holds RefundDue or RefundMade by the name of the table.
	byTable                  map[string]string
	currency, currencyColumn string
	// minor holds by table whether its amounts are in the smallest unit.
	minor map[string]bool
}

// Units of a column of amounts.
const (
	MinorUnit = "minor"
	MajorUnit = "major"
)

// newMoneyRules reads the options. A wrong amount in a mail is a promise, so
// nothing about money is guessed: what cannot be known is asked for.
func newMoneyRules(opened *casefile.Opened, options *Options) (*moneyRules, error) {
	r := &moneyRules{byTable: map[string]string{}, minor: map[string]bool{}, currencyColumn: options.CurrencyColumn}
	for _, rule := range options.Refunds {
		if err := r.add(opened, rule); err != nil {
			return nil, err
		}
	}
	if r.currency = strings.ToUpper(strings.TrimSpace(options.Currency)); r.currency != "" && !currencyCode.MatchString(r.currency) {
		return nil, &Problem{Code: casefile.CodeUsage, Message: "--currency is no code of a currency", Hint: "give it as three letters, as EUR"}
	}
	if options.AmountUnit != "" && options.AmountUnit != MinorUnit && options.AmountUnit != MajorUnit {
		return nil, &Problem{Code: casefile.CodeUsage, Message: fmt.Sprintf("--amount-unit does not know %q", options.AmountUnit), Hint: "it takes minor (as cents) or major (as euros)"}
	}
	return r, r.checkTables(opened, options)
}

// add takes one "[TABLE=]due|made|none".
func (r *moneyRules) add(opened *casefile.Opened, rule string) error {
	name, state, named := rule, rule, false
	if at := strings.LastIndexByte(rule, '='); at >= 0 {
		name, state, named = rule[:at], rule[at+1:], true
	}
	if state == "none" {
		state = ""
	} else if state != templates.RefundDue && state != templates.RefundMade {
		return &Problem{Code: casefile.CodeUsage, Message: fmt.Sprintf("--refund does not know %q", state), Hint: "it takes due, made or none, or TABLE=due and so on where tables differ"}
	}
	if named {
		if opened.TableNamed(name) == nil {
			return &Problem{Code: casefile.CodeNotFound, Message: "the case has no table " + name + " for --refund", Hint: "it has " + strings.Join(tableNames(opened), ", ")}
		}
		r.byTable[name] = state
		return nil
	}
	for _, table := range tableNames(opened) {
		if _, set := r.byTable[table]; !set {
			r.byTable[table] = state
		}
	}
	return nil
}

func tableNames(opened *casefile.Opened) []string {
	names := make([]string, len(opened.Tables))
	for i := range opened.Tables {
		names[i] = opened.Tables[i].Name
	}
	return names
}

// checkTables finds out for each table with money how its amounts are to be read.
func (r *moneyRules) checkTables(opened *casefile.Opened, options *Options) error {
	for i := range opened.Tables {
		table := &opened.Tables[i]
		if r.byTable[table.Name] == "" || table.Amount == "" {
			continue
		}
		if r.currency == "" && r.currencyColumn == "" {
			return &Problem{Code: casefile.CodeUsage, Message: "a mail that names an amount has to name its currency", Hint: "add --currency EUR, or --currency-column COLUMN"}
		}
		if r.currencyColumn != "" && !hasColumn(table, r.currencyColumn) && r.currency == "" {
			return noSuchColumn("--currency-column", r.currencyColumn, table)
		}
		switch {
		case options.AmountUnit != "":
			r.minor[table.Name] = options.AmountUnit == MinorUnit
		case saysMinor(table.Amount):
			r.minor[table.Name] = true
		default:
			return &Problem{Code: casefile.CodeUsage, Message: fmt.Sprintf("whether the amounts in %s are in cents cannot be told from its name", table.Amount), Hint: "add --amount-unit minor (as cents) or --amount-unit major (as euros)"}
		}
	}
	return nil
}

func noSuchColumn(flag, column string, table *casefile.Table) error {
	var names []string
	for _, c := range table.Columns {
		names = append(names, c.Name)
	}
	return &Problem{Code: casefile.CodeNotFound, Message: fmt.Sprintf("%s has no column %s for %s", table.Name, column, flag), Hint: "it has " + strings.Join(names, ", ")}
}

// saysMinor is true for a column whose name says that it counts the smallest unit.
func saysMinor(column string) bool {
	return slices.ContainsFunc(splitWords(column), func(word string) bool {
		return slices.Contains([]string{"cent", "cents", "minor", "pence", "pennies"}, word)
	})
}

// stateOf is RefundDue, RefundMade, or "" where no money was taken twice.
func (r *moneyRules) stateOf(table *casefile.Table) string { return r.byTable[table.Name] }

// amount is a sum in the smallest unit of its currency.
type amount struct {
	currency string
	units    *big.Int
}

var (
	currencyCode  = regexp.MustCompile(`^[A-Z]{3}$`)
	decimalNumber = regexp.MustCompile(`^[0-9]{1,18}(\.[0-9]{1,12})?$`)
)

// digitsAfterPoint are those of the currencies that have not two (ISO 4217).
var digitsAfterPoint = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3, "CLF": 4, "UYW": 4,
}

func digitsOf(currency string) int {
	if n, ok := digitsAfterPoint[currency]; ok {
		return n
	}
	return 2
}

// amountOf reads the amount of a row; ok is false where it has none that can be read.
func (r *moneyRules) amountOf(table *casefile.Table, row *casefile.Row) (a amount, ok bool) {
	a.currency = r.currency
	if r.currencyColumn != "" && hasColumn(table, r.currencyColumn) {
		a.currency = strings.ToUpper(strings.TrimSpace(value(row, r.currencyColumn)))
	}
	text := strings.TrimSpace(value(row, table.Amount))
	if !currencyCode.MatchString(a.currency) || !decimalNumber.MatchString(text) {
		return a, false
	}
	digits := digitsOf(a.currency)
	if r.minor[table.Name] {
		digits = 0
	}
	whole, fraction, _ := strings.Cut(text, ".")
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > digits {
		return a, false
	}
	a.units, ok = new(big.Int).SetString(whole+fraction+strings.Repeat("0", digits-len(fraction)), 10)
	return a, ok
}

// parts takes an amount apart for the words of a language.
func (a amount) parts() templates.MailMoney {
	digits := digitsOf(a.currency)
	text := fmt.Sprintf("%0*d", digits+1, a.units)
	whole := text[:len(text)-digits]
	money := templates.MailMoney{Currency: a.currency, Fraction: text[len(text)-digits:]}
	for len(whole) > 3 {
		money.Thousands = slices.Insert(money.Thousands, 0, whole[len(whole)-3:])
		whole = whole[:len(whole)-3]
	}
	money.Thousands = slices.Insert(money.Thousands, 0, whole)
	return money
}

// sum adds the amounts of rows; ok is false where one cannot be read or the
// currencies differ.
func (r *moneyRules) sum(table *casefile.Table, rows []*casefile.Row) (total amount, ok bool) {
	for _, row := range rows {
		a, readable := r.amountOf(table, row)
		if !readable || !total.add(a) {
			return amount{}, false
		}
	}
	return total, total.units != nil
}

// add is false where the currencies differ.
func (a *amount) add(b amount) bool {
	if a.units == nil {
		*a = amount{b.currency, new(big.Int).Set(b.units)}
		return true
	}
	if a.currency != b.currency {
		return false
	}
	a.units.Add(a.units, b.units)
	return true
}
