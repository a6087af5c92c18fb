using System.Runtime.CompilerServices;

namespace FewStep.Platform;

/// <summary>An interpolated string whose numbers are written invariantly. Unlike a <see cref="FormattableString"/> it may be several,
/// joined by <c>+</c>.</summary>
[InterpolatedStringHandler]
internal ref struct InvariantText
{
    private DefaultInterpolatedStringHandler _text;

    public InvariantText(int literalLength, int formattedCount) => _text = new(literalLength, formattedCount, CultureInfo.InvariantCulture);
    public static string Of(InvariantText text) => text.ToString();
    public void AppendLiteral(string text) => _text.AppendLiteral(text);
    public void AppendFormatted<T>(T value, string? format = null) => _text.AppendFormatted(value, format);
    public void AppendFormatted(object? value, string? format = null) => _text.AppendFormatted(value, format: format);

    /// <summary>The text. It can be taken once.</summary>
    public override string ToString() => _text.ToStringAndClear();
}
