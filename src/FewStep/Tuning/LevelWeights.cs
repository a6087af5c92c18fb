namespace FewStep.Tuning;

/// <summary>Computes the weights of a <see cref="LevelWeighting"/>.</summary>
internal static class LevelWeights
{
    /// <returns>The weight of every level where a sampler evaluates the denoiser: N, and one more where the terminal rule is
    /// zero.</returns>
    public static double[] For(LevelWeighting weighting, SamplingSchedule schedule, IPreconditioning preconditioning)
    {
        double[] nodes = Nodes(schedule);
        return [.. nodes.Zip(nodes.Skip(1), Weight)];

        double Weight(double sigma, double next)
        {
            double step = 1 - (next / sigma);
            return weighting switch
            {
                LevelWeighting.NetworkOutput => 1 / Math.Pow(OutputScale(preconditioning, sigma), 2),
                LevelWeighting.StateError => step * step,
                LevelWeighting.Uniform => 1,
                LevelWeighting.ConvexCombination => ((1 / next) - (1 / sigma)) * schedule.Sigmas[^1],
                _ => throw new ArgumentOutOfRangeException(nameof(weighting), weighting, null),
            };
        }
    }

    /// <summary>The sigmas, and 0 behind them where the terminal rule is zero.</summary>
    public static double[] Nodes(SamplingSchedule schedule)
        => [.. schedule.Sigmas, .. schedule.Terminal == ScheduleTerminal.Zero ? [0] : Array.Empty<double>()];

    private static double OutputScale(IPreconditioning preconditioning, double sigma)
    {
        using var scope = NewDisposeScope();
        return preconditioning.Coefficients(tensor([sigma])).Out.item<double>();
    }
}

/// <summary>How much the squared error of D at each sigma of the schedule counts in the loss of a tuning.</summary>
/// <remarks>
/// With few steps over a wide range of sigma the first three hardly differ, for then r is small and c_out near sigma_data at most levels.
/// They part where the schedule has many low sigmas: <see cref="StateError"/> all but ignores those, since pixels barely move there,
/// <see cref="NetworkOutput"/> trains every level alike.
/// </remarks>
public enum LevelWeighting
{
    /// <summary>
    /// 1 / c_out(s)^2, which is EDM's training weight: equal errors of the raw network count equally at every level. The default of the
    /// denoising loss, which is the training loss on fewer levels.
    /// </summary>
    NetworkOutput,

    /// <summary>
    /// (1 - r)^2 with r = s_(i+1) / s_i: the squared error of the state after the step, so the trajectory loss is the squared distance to
    /// the teacher's states, as the held-out metric is that to its endpoint. The default of the trajectory loss; it also bounds the target
    /// where two levels lie close together and D* divides by a small 1 - r.
    /// </summary>
    StateError,

    /// <summary>1: the squared error of D itself.</summary>
    Uniform,

    /// <summary>
    /// w_i = s_N (1/s_(i+1) - 1/s_i), the weight of D_i in the solution x_N = (s_N/s_0) x_0 + sum w_i D_i (our reading of 2412.10786).
    /// Nearly all of it lies on the last step. Undefined where the schedule's terminal rule is zero.
    /// </summary>
    ConvexCombination,
}
