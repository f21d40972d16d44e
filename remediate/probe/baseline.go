package probe

import (
	"fmt"

	"twinrow/detect/casefile/proof"
)

// Compare puts into a result how it stands to that of an earlier run, as one
// against the build without the fix. Only where the very same probe failed
// then and passes now is it a confirmed fix.
func Compare(now, before *Result) {
	b := &proof.Baseline{
		StartedAt: before.StartedAt, Verdict: before.Verdict, SpecSHA256: before.SpecSHA256,
		Same: before.SpecSHA256 != "" && before.SpecSHA256 == now.SpecSHA256,
	}
	switch {
	case !b.Same:
		b.Statement = "the baseline asked something else, so the two cannot be compared: probe the build without the fix with this same specification"
	case before.Verdict == Inconclusive:
		b.Statement = "the baseline was inconclusive, so nothing shows that this probe sees the race"
	case before.Verdict == Pass:
		b.Statement = "the baseline passed too, so nothing shows that this probe sees the race: fire more copies or rounds at the build without the fix until it fails"
	case now.Verdict == Pass:
		b.ConfirmedFix = true
		b.Statement = fmt.Sprintf("confirmed fix: the same probe failed on %s and passes now", before.StartedAt)
	case now.Verdict == Fail:
		b.Statement = "not fixed: the same probe failed then and fails now"
	default:
		b.Statement = "not confirmed: the same probe failed then and is inconclusive now"
	}
	now.Baseline = b
}
