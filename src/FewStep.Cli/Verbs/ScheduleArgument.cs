using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Experiments;
using FewStep.Platform;
using FewStep.Solvers;

namespace FewStep.Cli.Verbs;

/// <summary>A schedule named on the command line: a file, or one of the standard schedules.</summary>
/// <param name="Name">Name for people: that of the standard schedule, or of the file without its extension.</param>
/// <param name="Schedule">The schedule.</param>
/// <param name="Solver">The solver that a file was made for; null where unknown.</param>
internal sealed record ScheduleArgument(string Name, SamplingSchedule Schedule, string? Solver)
{
    /// <summary>Whether a text means a file.</summary>
    /// <param name="text">What was given.</param>
    public static bool IsFile(string text) => text.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || text.Contains(Path.DirectorySeparatorChar) || File.Exists(text);

    /// <summary>Reads the file or makes the standard schedule over the model's noise levels, and checks it against them.</summary>
    /// <param name="text">What was given.</param>
    /// <param name="steps">Number of steps asked for; null where it was left out.</param>
    /// <param name="denoiser">The model.</param>
    /// <exception cref="InvalidInputException">The file is invalid, the name unknown, the number of steps missing or another than the file's, or the schedule leaves the model's range.</exception>
    public static ScheduleArgument Open(string text, int? steps, IDenoiser denoiser)
    {
        if (steps < 1)
        {
            throw new InvalidInputException($"--steps {steps} must be 1 or more.");
        }

        if (!IsFile(text))
        {
            var standard = StandardSchedules.Find(text);
            int number = steps ?? throw new InvalidInputException($"Schedule {standard.Name} needs a number of steps: add e.g. --steps 4.");
            return new ScheduleArgument(standard.Name, standard.Create(number, denoiser.SigmaMin, denoiser.SigmaMax), null);
        }

        var record = ScheduleFile.Read(text);
        if (steps is int wanted && wanted != record.Schedule.Steps)
        {
            throw new InvalidInputException($"{text} has {record.Schedule.Steps} steps, --steps says {wanted}; leave --steps out.");
        }

        string name = FileName(text);
        ScheduleRange.Check(record.Schedule, text, denoiser);
        if (record.Solver is string solver)
        {
            SolverCatalog.Find(solver);
        }

        return new ScheduleArgument(name, record.Schedule, record.Solver);
    }

    /// <summary>Name for people of a schedule file: without folder and extension.</summary>
    public static string FileName(string path)
    {
        string name = Path.GetFileName(path);
        return name.EndsWith(ScheduleFile.Extension, StringComparison.OrdinalIgnoreCase) ? name[..^ScheduleFile.Extension.Length] : Path.GetFileNameWithoutExtension(name);
    }
}
