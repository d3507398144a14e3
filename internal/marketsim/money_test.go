package marketsim

import "testing"

func TestMoneyText(t *testing.T) {
	for _, c := range []struct {
		amount      int64
		text, mills string
	}{
		{0, "0", "0.000"},
		{12_450_000, "12.45", "12.450"},
		{400_000, "0.4", "0.400"},
		{285_000, "0.285", "0.285"},
		{901_000_000, "901", "901.000"},
		{-1_010_000, "-1.01", "-1.010"},
		{1, "0.000001", "0.000"},
		{1_532_407_000, "1532.407", "1532.407"},
	} {
		if got := formatMoney(c.amount); got != c.text {
			t.Errorf("formatMoney(%d) = %s, want %s", c.amount, got, c.text)
		}
		if got := formatMills(c.amount); got != c.mills {
			t.Errorf("formatMills(%d) = %s, want %s", c.amount, got, c.mills)
		}
		if got, ok := parseMoney(c.text); !ok || got != c.amount {
			t.Errorf("parseMoney(%s) = %d, %t, want %d", c.text, got, ok, c.amount)
		}
	}
}

func TestParseMoney(t *testing.T) {
	for text, want := range map[string]int64{
		"10.50": 10_500_000, ".5": 500_000, "5.": 5_000_000, "0.12345678": 123_456, "-2": -2_000_000,
	} {
		if got, ok := parseMoney(text); !ok || got != want {
			t.Errorf("parseMoney(%q) = %d, %t, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", ".", "-", "1e3", "abc", "1.2.3", "12,5", " 1", "1234567890123", "--1"} {
		if got, ok := parseMoney(text); ok {
			t.Errorf("parseMoney(%q) = %d, want a refusal", text, got)
		}
	}
}

func TestScaleBeyond64Bits(t *testing.T) {
	// A million dollars in tenge: the product of the factors has 80 bits.
	if got, want := scale(1_000_000*dollar, 540_200_000), int64(540_200_000*dollar); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}
