using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>Writes a summary as one file.</summary>
internal interface ISummaryExporter
{
    /// <summary>Name of the file in the experiment's folder.</summary>
    string FileName { get; }

    /// <summary>Writes the file whole or not at all.</summary>
    void Write(Summary summary, string folder);
}
