namespace FewStep.Data;

/// <summary>How images are laid out in one grid image, row by row.</summary>
internal sealed record GridLayout
{
    /// <summary>Images in a row; default 0 = as many as rows, or one more. At most 1,024.</summary>
    public int Columns { get; init; }

    /// <summary>Pixels between images, not enlarged and none around the grid; default 1, at most 64.</summary>
    public int Gutter { get; init; } = 1;

    /// <summary>Whole factor by which images are enlarged without smoothing; default 1, at most 64.</summary>
    public int Upscale { get; init; } = 1;

    /// <summary>Gray level of gutters and empty places, 0 (black) to 255 (white, the default).</summary>
    public byte Background { get; init; } = 255;

    internal int ColumnsFor(int count)
    {
        Check(Columns, 0, 1024, nameof(Columns));
        Check(Gutter, 0, 64, nameof(Gutter));
        Check(Upscale, 1, 64, nameof(Upscale));
        return Columns > 0 ? Math.Min(Columns, count) : (int)Math.Ceiling(Math.Sqrt(count));
    }

    private static void Check(int value, int least, int most, string name)
    {
        if (value < least || value > most)
            throw new ArgumentOutOfRangeException(name, value, $"{name} of a grid must be {least} to {most}.");
    }
}
