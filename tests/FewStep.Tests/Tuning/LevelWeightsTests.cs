using CsCheck;
using FewStep.Denoising;
using FewStep.Tuning;
using FewStep.Noise;

namespace FewStep.Tests.Tuning;

public sealed class LevelWeightsTests
{
    [Fact]
    public void Convex_weights_sum_to_what_the_start_leaves() => Gen.Int[1, 12].Sample(steps =>
    {
        var schedule = StandardSchedules.Create("log-snr", steps, 0.01, 20);
        Assert.Equal(1 - 0.01 / 20, Weights(LevelWeighting.ConvexCombination, schedule).Sum(), 1e-5);
    });

    [Fact]
    public void Network_output_is_the_training_weight_of_EDM()
        => Check(LevelWeighting.NetworkOutput, (s, _) => (s * s + 0.25) / (s * s * 0.25));

    [Fact]
    public void State_error_is_the_square_of_the_share_of_D_in_the_step()
        => Check(LevelWeighting.StateError, (s, next) => Math.Pow(1 - next / s, 2));

    [Fact]
    public void Uniform_is_one() => Check(LevelWeighting.Uniform, (_, _) => 1);

    private static void Check(LevelWeighting weighting, Func<double, double, double> formula)
    {
        var sigmas = TinyModel.Schedule.Sigmas;
        var weights = Weights(weighting, TinyModel.Schedule);
        Assert.Equal(3, weights.Length);
        for (int i = 0; i < weights.Length; i++)
        {
            double expected = formula(sigmas[i], sigmas[i + 1]);
            Assert.Equal(expected, weights[i], expected * 1e-6);
        }
    }

    private static double[] Weights(LevelWeighting weighting, SamplingSchedule schedule)
        => LevelWeights.For(weighting, schedule, new EdmPreconditioning());
}
