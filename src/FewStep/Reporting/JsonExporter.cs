using FewStep.Experiments;

namespace FewStep.Reporting;

internal sealed class JsonExporter : ISummaryExporter
{
    public string FileName => Summary.FileName;

    public void Write(Summary summary, string folder) => JsonFile.Write(Path.Combine(folder, FileName), summary);
}
