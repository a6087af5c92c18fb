using CsCheck;
using FewStep.Noise;

namespace FewStep.Tests.Noise;

public class PublishedTablesTests
{
    private static readonly double[] Sd15 = [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029];

    // As NVIDIA publishes them: research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto.html.
    public static TheoryData<string, double[]> Ays => new()
    {
        { "ays-sd15", Sd15 },
        { "ays-sdxl", [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029] },
        { "ays-deepfloyd", [160.41, 8.081, 3.315, 1.885, 1.207, 0.785, 0.553, 0.293, 0.186, 0.030, 0.006] },
        { "ays-svd", [700.00, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002] },
    };

    [Theory]
    [MemberData(nameof(Ays))]
    public void A_table_is_exact_where_its_range_and_steps_fit(string name, double[] table) =>
        Assert.Equal(table, StandardSchedules.Create(name, 10, table[^1], table[0]).Sigmas);

    [Theory]
    [MemberData(nameof(Ays))]
    public void A_wider_range_replaces_the_ends_alone(string name, double[] table) =>
        Assert.Equal([1000, .. table[1..^1], 0.0001], StandardSchedules.Create(name, 10, 0.0001, 1000).Sigmas);

    // As diffusers publishes or computes them, but for 124: the sigma that is published beside it, 0.399, lies nearer to 125.
    [Theory]
    [InlineData("ays-sd15", new[] { 999, 850, 736, 645, 545, 455, 343, 233, 125, 24 })]
    [InlineData("ays-sdxl", new[] { 999, 845, 730, 587, 443, 310, 193, 116, 53, 13 })]
    [InlineData("sd-trailing", new[] { 999 })]
    [InlineData("sd-trailing", new[] { 999, 749, 499, 249 })]
    [InlineData("sd-trailing", new[] { 999, 874, 749, 624, 499, 374, 249, 124 })]
    [InlineData("sd-lcm", new[] { 999, 759, 499, 259 })]
    [InlineData("sd-lcm", new[] { 999, 879, 759, 639, 499, 379, 259, 139 })]
    public void Lists_for_stable_diffusion_are_the_published_timesteps(string name, int[] times)
    {
        var noise = DiscreteVpNoise.ScaledLinear();
        var schedule = StandardSchedules.Create(name, times.Length, noise.Sigmas[0], noise.Sigmas[^1]);
        Assert.Equal(times, noise.DistinctTimes([.. schedule.Sigmas.SkipLast(1)]));
    }

    [Fact]
    public void A_narrower_range_drops_what_lies_outside()
    {
        // 0.399 to 3.861 lie strictly inside; with the ends that makes 9 steps.
        Assert.Equal([5, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.2], StandardSchedules.Create("ays-sd15", 8, 0.2, 5).Sigmas);
        Assert.Equal([1.396, 0.963, 0.652], StandardSchedules.Create("ays-sd15", 2, 0.652, 1.396).Sigmas);
        Assert.Equal(Math.Sqrt(1.3 * 1.2), StandardSchedules.Create("ays-sd15", 2, 1.2, 1.3).Sigmas[1], 1e-14);
    }

    [Fact]
    public void Other_numbers_of_steps_are_log_linear_over_the_index()
    {
        var half = StandardSchedules.Create("ays-sd15", 5, 0.029, 14.615);
        Assert.Equal(Sd15.Where((_, i) => i % 2 == 0), half.Sigmas);
        var twice = StandardSchedules.Create("ays-sd15", 20, 0.029, 14.615);
        for (int i = 0; i <= 20; i++)
            Assert.Equal(1, twice.Sigmas[i] / Math.Sqrt(Sd15[i / 2] * Sd15[(i + 1) / 2]), 1e-14);
        Assert.Equal([14.615, 0.029], StandardSchedules.Create("ays-sd15", 1, 0.029, 14.615).Sigmas);
    }

    [Theory]
    [InlineData("gits-table", new[] { 14.61464119, 2.36326075, 0.92192322, 0.36617002, 0.02916753 })]
    [InlineData("gits-table:0.80", new[] { 14.61464119, 11.54541874, 7.49001646, 3.07277966, 0.02916753 })]
    [InlineData("gits-table:1.05", new[] { 14.61464119, 7.49001646, 4.86714602, 2.84484982, 1.56271636, 0.803307, 0.34370604, 0.02916753 })]
    [InlineData("gits-table:1.50", new[] { 14.61464119, 0.54755926, 0.02916753 })]
    public void Gits_tables_are_the_published_ones(string name, double[] table) =>
        Assert.Equal(table, StandardSchedules.Create(name, table.Length - 1, 0.02916753, 14.61464119).Sigmas);

    [Fact]
    public void Every_gits_table_is_there_and_more_steps_are_resampled_from_the_longest()
    {
        for (int coefficient = 80; coefficient <= 150; coefficient += 5)
        {
            string name = FormattableString.Invariant($"gits-table:{coefficient / 100.0}");
            for (int steps = 1; steps <= 20; steps++)
                Assert.Equal(steps, StandardSchedules.Create(name, steps, 0.02916753, 14.61464119).Steps);
            var longest = StandardSchedules.Create(name, 20, 0.02916753, 14.61464119);
            Assert.Equal(longest.Sigmas, StandardSchedules.Create(name, 40, 0.02916753, 14.61464119).Sigmas.Where((_, i) => i % 2 == 0));
        }
    }

    [Fact]
    public void A_larger_coefficient_spends_more_steps_at_low_noise()
    {
        for (int steps = 3; steps <= 20; steps++)
        {
            double Middle(string name) => StandardSchedules.Create(name, steps, 0.02916753, 14.61464119).Sigmas[steps / 2];
            Assert.True(Middle("gits-table:0.8") > Middle("gits-table:1.15"));
            Assert.True(Middle("gits-table:1.15") > Middle("gits-table:1.5"));
        }
    }

    [Fact]
    public void Any_range_keeps_the_levels_inside_in_order() => Gen.Select(Gen.Double[-3, 0], Gen.Double[0.1, 4]).Sample((low, width) =>
    {
        double min = Math.Exp(low * 2), max = min * Math.Exp(width * 2);
        double[] inside = [.. Sd15[1..^1].Where(s => s > min && s < max)];
        return StandardSchedules.Create("ays-sd15", inside.Length + 1, min, max).Sigmas.SequenceEqual([max, .. inside, min]);
    }, iter: 200);
}
