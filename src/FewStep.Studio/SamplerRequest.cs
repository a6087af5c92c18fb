namespace FewStep.Studio;

/// <summary>A model with its sampler, as a side of the page has them.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SamplerRequest
{
    private const int MostSteps = 100, LongestText = 4096;

    /// <summary>Path of the model; null for the studio's first.</summary>
    public string? Model { get; init; }

    /// <summary>Weight of classifier-free guidance; null for none.</summary>
    public double? Guidance { get; init; }

    /// <summary>A file, or schedule, solver and steps in short; null for the model's own sampler.</summary>
    public string? Sampler { get; init; }

    /// <summary>Solver in place of the sampler's; null for the sampler's.</summary>
    public string? Solver { get; init; }

    /// <summary>Sigmas in place of the sampler's, moved by hand; null for the sampler's.</summary>
    public double[]? Sigmas { get; init; }

    /// <summary>The sampler. A fitted solver steps over its own sigmas alone: where those were moved, its base does.</summary>
    public Sampler Make(Model model)
    {
        if (Sampler?.Length > LongestText || Solver?.Length > LongestText)
            throw new InvalidInputException("That is no sampler.");
        var sampler = string.IsNullOrWhiteSpace(Sampler) ? model.DefaultSampler : model.CreateSampler(Sampler.Trim());
        if (!string.IsNullOrWhiteSpace(Solver))
            sampler = sampler with { Solver = SolverCatalog.Find(Solver), Origin = sampler.Origin.OfSigmas };
        if (Sigmas is { } moved && !moved.SequenceEqual(sampler.Schedule.Sigmas))
        {
            var solver = sampler.Solver is FittedSolver fitted ? fitted.Base : sampler.Solver;
            sampler = new Sampler(new SamplingSchedule(moved, sampler.Schedule.Terminal), solver)
            { Origin = new SamplerOrigin { Schedule = "studio", ModelHash = model.NetworkHash } };
        }

        return sampler.Steps <= MostSteps ? model.Checked(sampler, sampler.Origin.Schedule ?? "of the sampler")
            : throw new InvalidInputException($"The studio samples up to {MostSteps} steps, not {sampler.Steps}.");
    }
}

/// <summary>Images of a side to be made.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SampleRequest
{
    /// <summary>The side of the page.</summary>
    public Side Side { get; init; }

    public SamplerRequest Sampler { get; init; } = new();

    /// <summary>Image seeds, e.g. <c>0-7</c>.</summary>
    public string Seeds { get; init; } = "0-7";

    /// <summary>Class of all images, -1 for none; null for seed mod classes.</summary>
    public long? Label { get; init; }
}

/// <summary>The two samplers that the page shows.</summary>
internal enum Side
{
    A,
    B,
}
