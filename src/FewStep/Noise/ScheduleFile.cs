using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using FewStep.Platform;

namespace FewStep.Noise;

/// <summary>Schedule files (<c>*.schedule.json</c>, version 1), and plain lists of sigmas: a JSON array, or an object that holds <c>sigmas</c> and nothing else.</summary>
public static class ScheduleFile
{
    /// <summary>How the names of schedule files end.</summary>
    public const string Extension = ".schedule.json";

    /// <summary>The version that this program writes and reads.</summary>
    public const int Version = 1;

    private const int MaximumBytes = 8 << 20;
    private const int MaximumText = 200;

    /// <summary>Reads a schedule file, or a plain list of sigmas (then nothing but the schedule is known).</summary>
    /// <param name="path">The file, at most 8 MiB.</param>
    /// <exception cref="InvalidInputException">The file cannot be read or breaks a rule; the message names file and rule.</exception>
    public static ScheduleRecord Read(string path)
    {
        if (new FileInfo(path) is { Exists: true, Length: > MaximumBytes } large)
        {
            throw new InvalidInputException($"{path} has {large.Length} bytes; a schedule file has at most {MaximumBytes}.");
        }

        var json = JsonFile.Read<JsonElement>(path);
        try
        {
            return json.ValueKind switch
            {
                JsonValueKind.Array => FromList(json),
                JsonValueKind.Object when json.GetPropertyCount() == 1 && json.TryGetProperty("sigmas", out var sigmas) => FromList(sigmas),
                JsonValueKind.Object => FromContent(json),
                _ => throw new InvalidInputException("a schedule file holds an object, or an array of sigmas."),
            };
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

    /// <summary>Writes a schedule with full precision, whole or not at all.</summary>
    /// <param name="path">Target; its name should end in <see cref="Extension"/>.</param>
    /// <param name="record">Content.</param>
    /// <exception cref="ArgumentException">A part of the record could not be read back.</exception>
    /// <exception cref="InvalidInputException">The file cannot be written.</exception>
    public static void Write(string path, ScheduleRecord record)
    {
        var content = new Content
        {
            Version = Version,
            Steps = record.Schedule.Steps,
            Sigmas = [.. record.Schedule.Sigmas],
            Terminal = record.Schedule.Terminal,
            Times = record.Times.IsDefaultOrEmpty ? null : [.. record.Times],
            Solver = record.Solver,
            Objective = record.Objective,
            Loss = record.Loss?.Value,
            LossLow = record.Loss?.Low,
            LossHigh = record.Loss?.High,
            Evaluations = record.Evaluations,
            ModelHash = record.ModelHash,
            DataHash = record.DataHash,
            Seed = record.Seed,
            FewStep = typeof(ScheduleFile).Assembly.GetName().Version!.ToString(3),
        };
        try
        {
            ToRecord(content);
        }
        catch (InvalidInputException e)
        {
            throw new ArgumentException(e.Message, nameof(record), e);
        }

        JsonFile.Write(path, content);
    }

    private static ScheduleRecord FromList(JsonElement sigmas) =>
        new(Checked(sigmas.Deserialize<double[]>(JsonFile.Options) ?? throw new InvalidInputException("sigmas is null; it must be a list of numbers."), ScheduleTerminal.SigmaMin));

    private static ScheduleRecord FromContent(JsonElement json)
    {
        if (!json.TryGetProperty("version", out var version) || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out int number))
        {
            throw new InvalidInputException($"\"version\" is missing or no whole number; this program reads version {Version}.");
        }

        // Before the rest: a later version may name or mean anything else.
        if (number != Version)
        {
            throw new InvalidInputException(string.Create(CultureInfo.InvariantCulture, $"version {number} is unknown; this program reads version {Version}."));
        }

        return ToRecord(json.Deserialize<Content>(JsonFile.Options)!);
    }

    private static ScheduleRecord ToRecord(Content content)
    {
        var schedule = Checked(content.Sigmas, content.Terminal);
        if (content.Steps != schedule.Steps)
        {
            throw new InvalidInputException($"steps is {content.Steps}, but {content.Sigmas.Length} sigmas make {schedule.Steps} steps.");
        }

        CheckTimes(content.Times, content.Sigmas.Length);
        if (content.Evaluations < 0)
        {
            throw new InvalidInputException($"evaluations is {content.Evaluations}; it must be 0 or more.");
        }

        CheckText("solver", content.Solver);
        CheckText("objective", content.Objective);
        CheckText("model_hash", content.ModelHash);
        CheckText("data_hash", content.DataHash);
        CheckText("fewstep", content.FewStep);
        return new ScheduleRecord(schedule)
        {
            Times = content.Times is null ? [] : [.. content.Times],
            Solver = content.Solver,
            Objective = content.Objective,
            Loss = CheckedLoss(content),
            Evaluations = content.Evaluations,
            ModelHash = content.ModelHash,
            DataHash = content.DataHash,
            Seed = content.Seed,
            Writer = content.FewStep,
        };
    }

    private static SamplingSchedule Checked(double[] sigmas, ScheduleTerminal terminal) =>
        sigmas.Length <= StandardSchedule.MaximumSteps + 1
            ? new SamplingSchedule(sigmas, terminal)
            : throw new InvalidInputException($"{sigmas.Length} sigmas are more than any schedule has ({StandardSchedule.MaximumSteps + 1}).");

    private static void CheckTimes(double[]? times, int sigmas)
    {
        if (times is null)
        {
            return;
        }

        if (times.Length != sigmas)
        {
            throw new InvalidInputException($"there are {times.Length} times for {sigmas} sigmas; there must be as many, or none.");
        }

        int bad = Array.FindIndex(times, t => !double.IsFinite(t));
        if (bad >= 0)
        {
            throw new InvalidInputException(string.Create(CultureInfo.InvariantCulture, $"time[{bad}] = {times[bad]:R}; times must be finite."));
        }
    }

    private static ScheduleLoss? CheckedLoss(Content content)
    {
        if (content is { Loss: null, LossLow: null, LossHigh: null })
        {
            return null;
        }

        if (content is { Loss: { } loss, LossLow: { } low, LossHigh: { } high } && low <= loss && loss <= high && double.IsFinite(low) && double.IsFinite(high))
        {
            return new ScheduleLoss(loss, low, high);
        }

        throw new InvalidInputException("loss, loss_low and loss_high must be given together, finite, with loss_low <= loss <= loss_high.");
    }

    private static void CheckText(string name, string? text)
    {
        if (text is not null && (text.Length > MaximumText || text.Any(char.IsControl)))
        {
            throw new InvalidInputException($"{name} must be one line of at most {MaximumText} characters.");
        }
    }

    private sealed record Content
    {
        public required int Version { get; init; }

        public required int Steps { get; init; }

        public required double[] Sigmas { get; init; }

        public ScheduleTerminal Terminal { get; init; } = ScheduleTerminal.SigmaMin;

        public double[]? Times { get; init; }

        public string? Solver { get; init; }

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
}
