using FewStep.Experiments;

namespace FewStep.Studio;

/// <summary>What a request that was refused is told, in one line.</summary>
internal sealed record Refusal(string Error);

/// <summary>What the page can choose from.</summary>
internal sealed record StudioAnswer(
    string Version, string Model, string Data, string Out, string Runs, IReadOnlyList<Choice> Schedules, IReadOnlyList<Choice> Solvers,
    IReadOnlyList<Choice> Searches, IReadOnlyList<Choice> Exports);

/// <summary>A name with what it means.</summary>
internal sealed record Choice(string Name, string About);

/// <summary>A model, as the page shows it.</summary>
/// <param name="SigmaMin">Smallest noise level that a sampler may have.</param>
/// <param name="Low">Smallest noise level of schedules.</param>
/// <param name="Curve">The loss curve, where it is known.</param>
internal sealed record ModelAnswer(
    string Path, string Name, string Format, string Hash, long Parameters, string? NumberFormat, int Channels, int Height, int Width,
    int Classes, IReadOnlyList<string> ClassNames, bool IsTunable, bool TakesGuidance, double SigmaMin, double SigmaMax, double Low,
    double High, string? OwnSampler, IReadOnlyList<string> Remarks, LossCurveSummary? Curve);

/// <summary>Images of a side.</summary>
/// <param name="Columns">Images in a row of each picture.</param>
/// <param name="Image">PNG in base 64, image by image; so are the denoised images of each step.</param>
internal sealed record SampleAnswer(
    SamplerAnswer Sampler, IReadOnlyList<long> Seeds, int Width, int Height, int Columns, string Image, IReadOnlyList<string> Steps,
    double Evaluations, double Seconds, Figures Figures);

/// <summary>What the fine teacher made.</summary>
internal sealed record TeacherAnswer(string Name, double Evaluations, double Seconds, Figures Figures);
