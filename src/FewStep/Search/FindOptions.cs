namespace FewStep.Search;

/// <summary>How a sampler is searched for a model.</summary>
public sealed record FindOptions
{
    /// <summary>What searches the sigmas: one of <see cref="ScheduleOptimizerCatalog.Names"/>, with its parameter after a colon, e.g.
    /// <c>gits:1.15</c>; default the first, our Phase 1.</summary>
    public string Search { get; init; } = ScheduleOptimizerCatalog.All[0].Name;

    /// <summary>The solver that the sampler steps with, e.g. <c>ipndm:3</c>; default <c>euler</c>. Only some searches look at it.</summary>
    public string Solver { get; init; } = "euler";

    /// <summary>Whether the solver's weights are fitted to the model on the sigmas that were found, as <see cref="Model.FitSamplers"/> does
    /// with its defaults; default true. Nothing is evaluated more often for it when sampling.</summary>
    public bool FitsSolver { get; init; } = true;

    /// <summary>How the loss curve is measured, where the search needs one; its seed, steps and weightings are those of the
    /// search.</summary>
    public LossCurveOptions Curve { get; init; } = new();

    /// <summary>The model's loss curve, where it is known already; null (default) to measure it.</summary>
    internal LossCurve? LossCurve { get; init; }

    /// <summary>Of the default search: power of the weighting g(sigma) of the discretization loss, -4 to 4; default 0, which is -ln
    /// sigma.</summary>
    public double Power { get; init; } = PowerWeighting.DefaultPower;

    /// <summary>Latents or images of a search with trajectories, 2 or more; null (default) for the search's own number.</summary>
    public int? Images { get; init; }

    /// <summary>Seed of everything random in the search, 0 or more; default 0.</summary>
    public long Seed { get; init; }
}
