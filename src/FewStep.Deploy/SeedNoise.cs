namespace FewStep.Deploy;

/// <summary>Unit noise from an image's seed: the numbers that libtorch's generator gives FewStep, up to the last places of logarithm and
/// cosine.</summary>
/// <remarks>libtorch fills 16 values at once by Box and Muller's transform in float32, and draws fewer than 16 one by one in
/// float64.</remarks>
internal static class SeedNoise
{
    /// <summary>The largest seed: the generator takes 32 bits.</summary>
    public const long MaximumSeed = uint.MaxValue;

    private const int Block = 16, Half = Block / 2;

    /// <param name="values">All values of one image; filled.</param>
    public static void Fill(long seed, Span<float> values)
    {
        var generator = new MersenneTwister(checked((uint)seed));
        if (values.Length < Block)
        {
            FillOneByOne(generator, values);
            return;
        }

        foreach (ref float value in values)
            value = Uniform32(generator);
        for (int start = 0; start + Block <= values.Length; start += Block)
            Transform(values.Slice(start, Block));
        if (values.Length % Block == 0)
            return;

        // The last block is drawn anew, and overlaps the one before it.
        var last = values[^Block..];
        foreach (ref float value in last)
            value = Uniform32(generator);
        Transform(last);
    }

    private static void Transform(Span<float> block)
    {
        for (int i = 0; i < Half; i++)
        {
            float u1 = 1 - block[i], u2 = block[i + Half]; // u1 in (0, 1]
            float radius = MathF.Sqrt(-2 * MathF.Log(u1));
            float theta = (float)(2 * Math.PI * u2);
            block[i] = radius * MathF.Cos(theta);
            block[i + Half] = radius * MathF.Sin(theta);
        }
    }

    private static void FillOneByOne(MersenneTwister generator, Span<float> values)
    {
        for (int i = 0; i < values.Length; i += 2)
        {
            double u1 = Uniform64(generator), u2 = Uniform64(generator);
            double radius = Math.Sqrt(-2 * Math.Log(1 - u2)), theta = 2 * Math.PI * u1;
            values[i] = (float)(radius * Math.Cos(theta));
            if (i + 1 < values.Length)
                values[i + 1] = (float)(radius * Math.Sin(theta));
        }
    }

    // As many bits as the mantissa holds.
    private static float Uniform32(MersenneTwister generator) => (generator.Next32() & 0xffffff) * (1f / (1 << 24));

    private static double Uniform64(MersenneTwister generator) => (generator.Next64() & ((1UL << 53) - 1)) * (1d / (1L << 53));
}
