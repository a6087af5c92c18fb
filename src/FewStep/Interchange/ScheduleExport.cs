namespace FewStep.Interchange;

/// <summary>A schedule in the words of another program.</summary>
/// <param name="Target">The program.</param>
/// <param name="Text">What it is given, in one or more lines; nothing else is in it but what the program reads, and comments in its language.</param>
/// <param name="Notes">What to know in using it, a sentence each.</param>
/// <param name="Warnings">What is likely wrong, a sentence each.</param>
public sealed record ScheduleExport(string Target, string Text, IReadOnlyList<string> Notes, IReadOnlyList<string> Warnings);
