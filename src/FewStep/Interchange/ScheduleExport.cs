namespace FewStep.Interchange;

/// <summary>A schedule in the words of another program.</summary>
internal sealed record ScheduleExport(string Target, string Text, IReadOnlyList<string> Notes, IReadOnlyList<string> Warnings);
