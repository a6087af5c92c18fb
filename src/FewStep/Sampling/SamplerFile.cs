using FewStep.Solvers;

namespace FewStep.Sampling;

/// <summary>What a sampler's file says: <c>*.sampler.json</c> (version 2, or 3 where the solver was fitted), a schedule file
/// <c>*.schedule.json</c> (version 1, of which the solver may be missing), or a plain list of sigmas.</summary>
internal sealed record SamplerFile(SamplingSchedule Schedule, ISolver? Solver, SamplerOrigin Origin)
{
    public const string Extension = ".sampler.json";

    /// <summary>How the names of files end that say a schedule and perhaps a solver.</summary>
    public const string ScheduleExtension = ".schedule.json";

    private const int Version = 2, VersionOfSchedules = 1, VersionOfFits = 3;
    private const int MaximumBytes = 8 << 20, MaximumText = 200;

    /// <summary>Name for people: the file's without folder and extension.</summary>
    public static string NameOf(string path)
    {
        string name = Path.GetFileName(path);
        string? extension = new[]
        { Extension, ScheduleExtension }.FirstOrDefault(e => name.EndsWith(e, StringComparison.OrdinalIgnoreCase));
        return extension is null ? Path.GetFileNameWithoutExtension(name) : name[..^extension.Length];
    }

    /// <summary>Name for people where there are several files: <c>folder/name</c>.</summary>
    public static string LabelOf(string path)
    {
        string? folder = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(path)));
        return Printable.Line(string.IsNullOrEmpty(folder) ? NameOf(path) : $"{folder}/{NameOf(path)}", MaximumText);
    }

    public static SamplerFile Read(string path)
    {
        if (new FileInfo(path) is { Exists: true, Length: > MaximumBytes } large)
            throw new InvalidInputException($"{path} has {large.Length} bytes; a file of sigmas has at most {MaximumBytes}.");
        return Read(JsonFile.Read<JsonElement>(path), path);
    }

    /// <summary>Reads the text of a sampler's file that lies elsewhere.</summary>
    /// <param name="name">Where it lies, for messages.</param>
    public static SamplerFile Parse(string text, string name)
    {
        try
        {
            return Read(JsonSerializer.Deserialize<JsonElement>(text), name);
        }
        catch (JsonException e)
        {
            throw new InvalidInputException($"{name} is not valid: {JsonProblem.Describe(e)}.", e);
        }
    }

    private static SamplerFile Read(JsonElement json, string path)
    {
        try
        {
            var file = json.ValueKind switch
            {
                JsonValueKind.Array => FromList(json),
                JsonValueKind.Object when json.GetPropertyCount() == 1 && json.TryGetProperty("sigmas", out var sigmas) => FromList(sigmas),
                JsonValueKind.Object => FromContent(json),
                _ => throw new InvalidInputException("a file of sigmas holds an object, or an array of sigmas."),
            };
            return file.Origin.Schedule is null ? file with
            { Origin = file.Origin with { Schedule = Printable.Line(NameOf(path), MaximumText) } } : file;
        }
        catch (InvalidInputException e)
        {
            throw new InvalidInputException($"{path}: {e.Message}", e);
        }
        catch (JsonException e)
        {
            throw new InvalidInputException($"{path} is not valid: {JsonProblem.Describe(e)}.", e);
        }
    }

    public static void Write(string path, Sampler sampler) => AtomicFile.WriteText(path, Text(sampler));

    /// <summary>What a file of the sampler holds.</summary>
    public static string Text(Sampler sampler)
    {
        var (schedule, origin, fitted) = (sampler.Schedule, sampler.Origin, sampler.Solver as FittedSolver);
        var content = new Content
        {
            Version = fitted is null ? Version : VersionOfFits,
            Steps = schedule.Steps,
            Sigmas = [.. schedule.Sigmas],
            Terminal = schedule.Terminal,
            Solver = sampler.Solver.Name,
            Weights = fitted is null ? null : new FitWeights { Base = fitted.Base.Name, Steps = fitted.Corrections },
            Fit = origin.Fit,
            Match = origin.Match,
            Schedule = origin.Schedule,
            Source = origin.Source,
            Objective = origin.Objective,
            Loss = origin.Loss?.Value,
            LossLow = origin.Loss?.Low,
            LossHigh = origin.Loss?.High,
            Evaluations = origin.Evaluations,
            ModelHash = origin.ModelHash,
            DataHash = origin.DataHash,
            Seed = origin.Seed,
            FewStep = typeof(SamplerFile).Assembly.GetName().Version!.ToString(3),
        };
        try
        {
            Checked(content);
        }
        catch (InvalidInputException e)
        {
            throw new ArgumentException(e.Message, nameof(sampler), e);
        }

        return JsonFile.Text(content);
    }

    private static SamplerFile FromList(JsonElement sigmas)
    {
        double[] list = sigmas.Deserialize<double[]>(JsonFile.Options)
            ?? throw new InvalidInputException("sigmas is null; it must be a list of numbers.");
        return new SamplerFile(Checked(list, ScheduleTerminal.SigmaMin), null, new SamplerOrigin());
    }

    private static SamplerFile FromContent(JsonElement json)
    {
        if (!json.TryGetProperty("version", out var version) || version.ValueKind != JsonValueKind.Number
            || !version.TryGetInt32(out int number))
        {
            throw new InvalidInputException(
                $"\"version\" is missing or no whole number; this program reads versions {VersionOfSchedules} to {VersionOfFits}.");
        }

        // Before the rest: a later version may name or mean anything else.
        return number is VersionOfSchedules or Version or VersionOfFits
            ? Checked(json.Deserialize<Content>(JsonFile.Options)!)
            : throw new InvalidInputException(
                $"version {number} is unknown; this program reads versions {VersionOfSchedules} to {VersionOfFits}.");
    }

    private static SamplerFile Checked(Content content)
    {
        var schedule = Checked(content.Sigmas, content.Terminal);
        if (content.Steps != schedule.Steps)
            throw new InvalidInputException($"steps is {content.Steps}, but {content.Sigmas.Length} sigmas make {schedule.Steps} steps.");
        if (content.Evaluations < 0)
            throw new InvalidInputException($"evaluations is {content.Evaluations}; it must be 0 or more.");
        CheckTimes(content.Times, content.Sigmas.Length);
        (string Name, string? Text)[] texts =
        [
            ("solver", content.Solver), ("schedule", content.Schedule), ("objective", content.Objective),
            ("model_hash", content.ModelHash), ("data_hash", content.DataHash), ("fewstep", content.FewStep),
            ("teacher", content.Fit?.Teacher), ("guidance", content.Fit?.Guidance), ("stop", content.Fit?.Stop),
            ("features", content.Match?.Features), ("guidance", content.Match?.Guidance),
        ];
        foreach (var (name, text) in texts)
        {
            if (text is not null && (text.Length > MaximumText || text.Any(char.IsControl)))
                throw new InvalidInputException($"{name} must be one line of at most {MaximumText} characters.");
        }

        if (content.Solver is null && content.Version != VersionOfSchedules)
            throw new InvalidInputException("it names no solver; a sampler is sigmas and a solver.");
        bool isFitted = content.Solver?.StartsWith(FittedSolver.Prefix, StringComparison.Ordinal) ?? false;
        bool hasOrigin = content.Fit is not null ^ content.Match is not null;
        if (new[] { content.Weights is not null, hasOrigin, content.Version == VersionOfFits }.Any(has => has != isFitted)
            || (content.Fit is not null && content.Match is not null))
        {
            throw new InvalidInputException(
                $"weights, fit or match, and version {VersionOfFits} belong to a solver {FittedSolver.Prefix}-..., and to that alone.");
        }

        var solver = content.Weights is { } weights ? new FittedSolver(SolverCatalog.Find(weights.Base), schedule, weights.Steps)
            : content.Solver is null ? null : SolverCatalog.Find(content.Solver);
        if (isFitted && (solver!.Name != content.Solver || content.ModelHash is null))
            throw new InvalidInputException("sigmas, weights and name do not belong together, or it does not say the model.");
        return new SamplerFile(schedule, solver, new SamplerOrigin
        {
            Schedule = content.Schedule,
            Source = content.Source,
            Objective = content.Objective,
            Loss = Loss(content),
            Evaluations = content.Evaluations,
            ModelHash = content.ModelHash,
            DataHash = content.DataHash,
            Seed = content.Seed,
            Fit = content.Fit,
            Match = content.Match,
        });
    }

    private static SamplingSchedule Checked(double[] sigmas, ScheduleTerminal terminal) =>
        sigmas.Length <= StandardSchedule.MaximumSteps + 1
            ? new SamplingSchedule(sigmas, terminal)
            : throw new InvalidInputException(
                $"{sigmas.Length} sigmas are more than any schedule has ({StandardSchedule.MaximumSteps + 1}).");

    private static void CheckTimes(double[]? times, int sigmas)
    {
        if (times is not null && times.Length != sigmas)
            throw new InvalidInputException($"there are {times.Length} times for {sigmas} sigmas; there must be as many, or none.");
        if (Array.FindIndex(times ?? [], t => !double.IsFinite(t)) is >= 0 and int bad)
            throw new InvalidInputException($"time[{bad}] = {times![bad]:R}; times must be finite.");
    }

    private static ScheduleLoss? Loss(Content content) => content switch
    {
        { Loss: null, LossLow: null, LossHigh: null } => null,
        { Loss: { } loss, LossLow: { } low, LossHigh: { } high } when low <= loss && loss <= high && double.IsFinite(low)
            && double.IsFinite(high) => new ScheduleLoss(loss, low, high),
        _ => throw new InvalidInputException(
            "loss, loss_low and loss_high must be given together, finite, with loss_low <= loss <= loss_high."),
    };

    // Whatever is not understood might change the images.
    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
    private sealed record Content
    {
        public required int Version { get; init; }
        public required int Steps { get; init; }
        public required double[] Sigmas { get; init; }
        public ScheduleTerminal Terminal { get; init; } = ScheduleTerminal.SigmaMin;

        // Of schedule files: the model's own time for each sigma, which nothing needs.
        public double[]? Times { get; init; }

        // Of files that people write: their own words.
        public string? Note { get; init; }

        public string? Solver { get; init; }

        // Of a fitted solver alone.
        public FitWeights? Weights { get; init; }
        public FitOrigin? Fit { get; init; }
        public MatchOrigin? Match { get; init; }
        public string? Schedule { get; init; }
        public ScheduleSource Source { get; init; } = ScheduleSource.Given;
        public string? Objective { get; init; }
        public double? Loss { get; init; }
        public double? LossLow { get; init; }
        public double? LossHigh { get; init; }
        public long? Evaluations { get; init; }
        public string? ModelHash { get; init; }
        public string? DataHash { get; init; }
        public long? Seed { get; init; }

        [JsonPropertyName("fewstep")]
        public string? FewStep { get; init; }
    }

    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
    private sealed record FitWeights
    {
        public required string Base { get; init; }
        public required ImmutableArray<StepCorrection> Steps { get; init; }
    }
}
