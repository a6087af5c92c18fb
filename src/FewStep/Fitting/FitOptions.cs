using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Fitting;

/// <summary>How a solver's weights are fitted to a model: the closed form of the fitted sampler.</summary>
public sealed record FitOptions
{
    /// <summary>The solver whose steps are corrected; default <c>euler</c>.</summary>
    public string Solver { get; init; } = "euler";

    /// <summary>What may be added to its steps; default differences of past outputs and the slope. The held-out residual decides how much
    /// of it is kept, step by step.</summary>
    public FitCorrections Corrections { get; init; } = FitCorrections.Differences | FitCorrections.Slope;

    /// <summary>How many outputs the differences reach over, 1 (none but the present) or more; default 10.</summary>
    public int Order { get; init; } = 10;

    /// <summary>Latents that the weights are fitted on, 8 or more; default 256.</summary>
    public int Latents { get; init; } = 256;

    /// <summary>Further latents that judge them, 8 or more; default 64.</summary>
    public int HeldOutLatents { get; init; } = 64;

    /// <summary>The teacher's solver; default <c>ipndm-v:3</c>, which at equal evaluations ends several times nearer to the exact solution
    /// than Heun's method.</summary>
    public string TeacherSolver { get; init; } = "ipndm-v:3";

    /// <summary>Steps of the teacher, over Karras' schedule, 8 or more; default 48.</summary>
    public int TeacherSteps { get; init; } = 48;

    /// <summary>Ridge of the least squares, relative to each correction's own size, 0 to 1; default 1e-6.</summary>
    public double Ridge { get; init; } = 1e-6;

    /// <summary>Whether corrected steps keep the mean square of the teacher's state, over all latents fitted on, where they can; default
    /// true. Least squares alone shrink what they cannot predict, most at two and three steps. A refinement goes on by its distance
    /// alone.</summary>
    public bool KeepMeanSquare { get; init; } = true;

    /// <summary>Most iterations of the joint refinement of sigmas, told noise levels and weights, 0 (default) for none.</summary>
    public int RefineIterations { get; init; }

    /// <summary>Where the refinement compares images with the teacher's: <c>pixels</c>, <c>encoder</c> or <c>classifier:FOLDER</c>, as
    /// <see cref="Tuning.TuningOptions.Distance"/> has it; null (default) for the encoder, and for pixels where the model has none. Without
    /// a refinement it is pixels always, for which there is a closed form.</summary>
    public string? Distance { get; init; }

    /// <summary>Class of all latents, -1 for none; null (default) for all classes in turn.</summary>
    public long? Label { get; init; }

    /// <summary>Latents in one call of the denoiser, 1 or more; default 64. It changes speed and memory, and the weights only as far as the
    /// network's rounding does.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Where distances at the end are measured.</summary>
    internal string ImageDistance(bool hasEncoder) => RefineIterations > 0 ? Distance ?? (hasEncoder ? "encoder" : "pixels") : "pixels";

    internal FitOptions Checked()
    {
        bool addsNoise = SolverCatalog.Find(Solver).AddsNoise || SolverCatalog.Find(TeacherSolver).AddsNoise;
        return new OptionRules("The fit cannot start")
            .Require(!addsNoise, $"{Solver} or {TeacherSolver} adds noise, so there is no end to fit to")
            .Require(Order >= 1, $"the order must be at least 1, not {Order}")
            .Require(Latents >= 8 && HeldOutLatents >= 8,
                $"a fit needs at least 8 latents and 8 that judge it, not {Latents} and {HeldOutLatents}")
            .Require(Latents <= SeedPlan.SearchedInARun && HeldOutLatents <= SeedPlan.SearchedInARun - Latents,
                $"{Latents} and {HeldOutLatents} latents are more than a run's searches have seeds for ({SeedPlan.SearchedInARun})")
            .Require(TeacherSteps is >= 8 and <= 1000, $"the teacher's steps must be 8 to 1000, not {TeacherSteps}")
            .Require(Ridge is >= 0 and <= 1, $"the ridge must be 0 to 1, not {Ridge}")
            .Require(RefineIterations is >= 0 and <= 1000, $"iterations of the refinement must be 0 to 1000, not {RefineIterations}")
            .Require(
                Distance is null || RefineIterations > 0, $"the distance {Distance} is of the refinement; ask for one, or leave it out")
            .Require(BatchSize >= 1, $"the batch size must be at least 1, not {BatchSize}")
            .Check(this);
    }
}

/// <summary>What a fit may add to a solver's step.</summary>
[Flags]
public enum FitCorrections
{
    /// <summary>Nothing: the solver as it is.</summary>
    None = 0,

    /// <summary>Differences of successive outputs of the denoiser.</summary>
    Differences = 1,

    /// <summary>The slope x - D.</summary>
    Slope = 2,

    /// <summary>The state by itself.</summary>
    Scale = 4,
}
