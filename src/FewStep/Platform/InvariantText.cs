using System.Globalization;
using System.Runtime.CompilerServices;

namespace FewStep.Platform;

/// <summary>An interpolated string whose numbers are written invariantly. Unlike a <see cref="FormattableString"/> it may be several, joined by <c>+</c>.</summary>
[InterpolatedStringHandler]
public ref struct InvariantText
{
    private DefaultInterpolatedStringHandler _text;

    /// <summary>Called by the compiler.</summary>
    /// <param name="literalLength">Characters outside the holes.</param>
    /// <param name="formattedCount">Holes.</param>
    public InvariantText(int literalLength, int formattedCount) => _text = new(literalLength, formattedCount, CultureInfo.InvariantCulture);

    /// <summary>Called by the compiler.</summary>
    /// <param name="text">What stands between holes.</param>
    public void AppendLiteral(string text) => _text.AppendLiteral(text);

    /// <summary>Called by the compiler.</summary>
    /// <typeparam name="T">The value's type.</typeparam>
    /// <param name="value">What a hole holds.</param>
    /// <param name="format">Its format.</param>
    public void AppendFormatted<T>(T value, string? format = null) => _text.AppendFormatted(value, format);

    /// <summary>The text. It can be taken once.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => _text.ToStringAndClear();
}
