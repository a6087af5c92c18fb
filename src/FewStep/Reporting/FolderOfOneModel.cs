using FewStep.Sampling;
using FewStep.Search;

namespace FewStep.Reporting;

/// <summary>A folder of samplers and a loss curve, whose names do not say the model.</summary>
internal static class FolderOfOneModel
{
    /// <summary>Refuses a folder that holds what was found for another model, before any work: it would be replaced.</summary>
    public static void Require(string folder, Model model)
    {
        if (!Directory.Exists(folder))
            return;
        foreach (string path in Directory.EnumerateFiles(folder, $"*{SamplerFile.Extension}").Order(StringComparer.Ordinal))
            Check(path, model.NetworkHash, () => Sampler.Read(path).Origin.ModelHash);
        string curve = Path.Combine(folder, LossCurveFile.Name);
        if (File.Exists(curve))
            Check(curve, model.Hash, () => LossCurveFile.Read(curve).Origin.ModelHash);
    }

    private static void Check(string path, string own, Func<string?> read)
    {
        string? found;
        try
        {
            found = read();
        }
        catch (InvalidInputException e) when (!e.IsOfStorage)
        {
            return; // of no use to anybody
        }

        if (found is not null && found != own)
        {
            throw new InvalidInputException(
                $"{path} is of another model than the one that is opened; choose another folder, so that it stays.");
        }
    }
}
