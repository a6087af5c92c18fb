using FewStep.Text;

namespace FewStep.Tests.Text;

/// <summary>Held against Python's unicodedata.</summary>
public sealed class CanonicalCompositionTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("e\u0301cole", "\u00e9cole")]
    [InlineData("e\u0323\u0302 e\u0302\u0323 \u1eb9\u0302", "\u1ec7 \u1ec7 \u1ec7")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307")]
    [InlineData("\u212b\u1e9b\u0323", "\u00c5\u1e9b\u0323")]
    [InlineData("\u0958", "\u0915\u093c")]
    [InlineData("\u1112\u1161\u11ab\u1100\u1173\u11af", "\ud55c\uae00")]
    [InlineData("\uac00\u11a8\u11a8", "\uac01\u11a8")]
    [InlineData("\uf900\u0344", "\u8c48\u0308\u0301")]
    [InlineData("\U0001d15e", "\U0001d157\U0001d165")]
    [InlineData("a\u0315\u0300\u05ae\u0300", "\u00e0\u05ae\u0300\u0315")]
    [InlineData("\u0300a", "\u0300a")]
    public void Marks_are_ordered_and_joined(string text, string expected) => Assert.Equal(expected, CanonicalComposition.Of(text));
}
