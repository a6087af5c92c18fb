namespace FewStep.Search;

internal sealed record EndpointOptions
{
    /// <summary>Latents that the distance is minimised on, at least 2; default 64.</summary>
    public int Latents { get; init; } = 64;

    /// <summary>Further latents on which the found schedule's distance is reported, at least 2; default 64.</summary>
    public int HeldOutLatents { get; init; } = 64;

    /// <summary>Heun steps of the teacher on Karras' schedule, at least 2; default 40, which are 80 evaluations a latent.</summary>
    public int TeacherSteps { get; init; } = 40;

    /// <summary>Most network evaluations of the search for one number of steps N, without teacher and starts; null (default) for as many as
    /// 25 N runs of the sampler over the latents take: 25,600 for 4 Euler steps.</summary>
    public long? MaximumEvaluations { get; init; }

    /// <summary>Stop when an iteration lowers the distance by less than this share, 0 to 0.5; default 0.002.</summary>
    public double Tolerance { get; init; } = 0.002;

    /// <summary>Starts beside the standard schedules: whether GITS searches on the same latents (60 evaluations each); default
    /// true.</summary>
    public bool StartFromGits { get; init; } = true;

    public void Validate() =>
        new OptionRules("The endpoint search cannot start")
            .Require(Latents >= 2 && HeldOutLatents >= 2,
                $"there must be at least 2 latents to search and 2 held out, not {Latents} and {HeldOutLatents}")
            .Require(TeacherSteps is >= 2 and <= 10_000, $"the teacher's steps must be 2 to 10000, not {TeacherSteps}")
            .Require(MaximumEvaluations is null or >= 0, $"the most evaluations must be at least 0, not {MaximumEvaluations}")
            .Require(Tolerance is >= 0 and <= 0.5, $"the tolerance must lie between 0 and 0.5, not {Tolerance}")
            .Check();
}
