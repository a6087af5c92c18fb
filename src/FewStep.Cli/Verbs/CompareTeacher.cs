using FewStep.Search;
using FewStep.Denoising;
using FewStep.Experiments;
using FewStep.Platform;
using FewStep.Solvers;

namespace FewStep.Cli.Verbs;

/// <summary>The teacher of <c>fewstep compare</c> on the command line: <c>solver:schedule:steps</c>, or <c>solver:file</c>.</summary>
internal static class CompareTeacher
{
    private const string Form = "it must be solver:schedule:steps, e.g. heun:karras:32, or solver:file.json";

    /// <summary>Reads it.</summary>
    /// <param name="text">What was given.</param>
    /// <param name="denoiser">The model, for its noise levels.</param>
    /// <exception cref="InvalidInputException">A part is unknown or missing.</exception>
    public static ComparisonTeacher Parse(string text, IDenoiser denoiser)
    {
        string[] parts = text.Split(':');
        InvalidInputException? first = null;
        // Solvers and schedules may hold colons of their own, so every place of the colon between them is tried.
        for (int cut = 1; cut < parts.Length; cut++)
        {
            try
            {
                return Read(string.Join(':', parts[..cut]), string.Join(':', parts[cut..]), denoiser);
            }
            catch (InvalidInputException e)
            {
                first ??= e;
            }
        }

        throw new InvalidInputException($"--teacher '{(text.Length <= 80 ? text : text[..80] + "...")}': {Form}.{(first is null ? "" : $" {first.Message}")}", first!);
    }

    private static ComparisonTeacher Read(string solver, string schedule, IDenoiser denoiser)
    {
        var method = SolverCatalog.Find(solver);
        if (ScheduleChoice.IsFile(schedule))
        {
            return Made(SamplerFlags.Read(schedule, method, null), denoiser, method);
        }

        int colon = schedule.LastIndexOf(':');
        if (colon < 0)
        {
            throw new InvalidInputException("The number of steps is missing.");
        }

        int steps = NumberList.Steps(schedule[(colon + 1)..], "--teacher")[0];
        return Made(SamplerFlags.Read(schedule[..colon], method, steps), denoiser, method);
    }

    private static ComparisonTeacher Made(SamplerChoice choice, IDenoiser denoiser, ISolver method)
    {
        var sampler = choice.MakeFor(denoiser, method) ?? throw new InvalidInputException("A teacher's schedule is a standard one or a file.");
        return new ComparisonTeacher(method, sampler.Origin.Schedule!, sampler.Schedule);
    }
}
