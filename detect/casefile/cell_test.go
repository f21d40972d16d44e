package casefile

import "testing"

func TestGuard(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "108": "108", "-12.50": "-12.50", "+3": "+3", "-1e5": "-1e5", "'t Hooft": "'t Hooft", "pi_3Sh": "pi_3Sh", "a=b": "a=b",
		"=1+1": "'=1+1", "+49 30": "'+49 30", "-": "'-", "-1-2": "'-1-2", "@team": "'@team", "\tx": "'\tx", "'=x": "''=x", "''=x": "'''=x", "＝1": "'＝1", "'-12": "'-12",
	} {
		if got := Guard(in); got != want {
			t.Errorf("Guard(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzGuard(f *testing.F) {
	for _, text := range []string{"''=x", "=1+1", "'", "\t-1", "＝x", "-1e5"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, in string) {
		guarded := Guard(in)
		if got := Unguard(guarded); got != in {
			t.Fatalf("%q became %q and came back as %q", in, guarded, got)
		}
	})
}
