using FewStep.Noise;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>How <see cref="GitsOptimizer"/> searches; the defaults are those of the reference implementation (zju-pi/diff-sampler), but for
/// the teacher's solver.</summary>
internal sealed record GitsOptions
{
    public const double LowestCoefficient = 0.1;
    public const double HighestCoefficient = 10;

    /// <summary>Weight of the remaining cost at each jump, 0.1 to 10; default 1.15. Above 1 makes late steps, at small sigmas, count
    /// more.</summary>
    public double Coefficient { get; init; } = 1.15;

    /// <summary>The cost of a jump; default <see cref="GitsMetric.Deviation"/>.</summary>
    public GitsMetric Metric { get; init; } = GitsMetric.Deviation;

    /// <summary>Points of the teacher's trajectory, at least 3; default 61, which are 60 steps.</summary>
    public int Points { get; init; } = 61;

    /// <summary>Where the teacher's points lie; default Karras' schedule with rho 7, the reference's "polynomial".</summary>
    public StandardSchedule Grid { get; init; } = StandardSchedule.Karras();

    /// <summary>The teacher's solver; default Euler, which at 60 steps costs what the reference's iPNDM costs.</summary>
    public ISolver Teacher { get; init; } = new EulerSolver();

    /// <summary>Latents that costs are averaged over, at least 2; default 256.</summary>
    public int Latents { get; init; } = 256;

    public void Validate() =>
        new OptionRules("GITS cannot search")
            .Require(Coefficient is >= LowestCoefficient and <= HighestCoefficient,
                $"the coefficient must lie between {LowestCoefficient} and {HighestCoefficient}, not {Coefficient}")
            .Require(Points is >= 3 and <= 2001, $"the teacher's points must be 3 to 2001, not {Points}")
            .Require(Latents >= 2, $"there must be at least 2 latents, not {Latents}")
            .Check();
}
