using FewStep.Experiments;
using FewStep.Platform;

namespace FewStep.Reporting;

/// <summary>The summary itself.</summary>
internal sealed class JsonExporter : ISummaryExporter
{
    public string FileName => Summary.FileName;

    public void Write(Summary summary, string folder) => JsonFile.Write(Path.Combine(folder, FileName), summary);
}
